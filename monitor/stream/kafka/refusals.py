"""The reasons why Kafka refuses the monitor, in words that say who must act.

aiokafka logs why a connection failed but raises only "Unable to bootstrap", or tries again without end. So code that
gets such an error calls this module: it tries the connection once more, on its own, and returns the reason.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from monitor.errors import AccessError, BrokerError, SlaMonitorError, StateError
from monitor.stream.kafka.tokens import TokenUnavailableError

TRY_MS: Final = 5_000
"""How long one connection is tried, milliseconds."""
GRANT: Final = "sla-monitor topics acls --user USER prints what grants it"
UNAUTHORIZED: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    ClusterAuthorizationFailedError,
)
_WRONG_NAME: Final = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_NO_CERTIFICATE: Final = ("certificate required", "bad certificate", "handshake failure")
"""TLS alerts that brokers send to a client without a certificate: one of TLS 1.3, and older ones that Java sends."""
_WRONG_TIME: Final = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def missing_right(error: BaseException, operation: str) -> str | None:
    """Return the sentence about the right that an error of Kafka says is missing; None for other errors.

    ``operation`` is the operation on topics that failed, ``Read`` or ``Write``: Kafka's answer does not contain it.
    """
    if not isinstance(error, UNAUTHORIZED):
        return None
    named = next(iter(error.args), None)
    names = sorted(named) if isinstance(named, set | frozenset | list | tuple) else [named]
    shown = ", ".join(str(name) for name in names if isinstance(name, str) and name) or "that it uses"
    if isinstance(error, TopicAuthorizationFailedError):
        return lacking([(operation, "topic", shown)])
    if isinstance(error, GroupAuthorizationFailedError):
        return lacking([("Read", "group", shown)])
    if isinstance(error, TransactionalIdAuthorizationFailed):
        return lacking([("Write", "transactional id", shown)])
    return lacking([(operation, "cluster", "")])


def lacking(rights: list[tuple[str, str, str]]) -> str:
    """Return the sentence that some rights (operation, kind of resource, name) are missing, and how to grant them."""
    told = ", ".join(f"{operation} on {kind} {name}".rstrip() for operation, kind, name in rights)
    return f"Kafka does not allow the user of the settings: {told} ({GRANT})"


def stopped(what: str, error: BaseException, operation: str) -> SlaMonitorError:
    """Return the error that stops a worker: ``what`` failed, by a missing right or an error that explains itself."""
    right = missing_right(error, operation)
    return StateError(f"{what}: {error!r}") if right is None else BrokerError(f"{what}: {right}")


async def explained(
    error: BaseException, bootstrap: str, security: Mapping[str, Any] | None, *, operation: str, otherwise: str
) -> BrokerError:
    """Return an error of Kafka in words that explain it, ready to be raised.

    ``otherwise`` names the failure in case that neither rights nor the connection explain the error.
    """
    if isinstance(error, BrokerError):
        return error
    right = missing_right(error, operation)
    if right is not None:
        return BrokerError(right)
    found = await refusal(bootstrap, security)
    if found is None or (isinstance(error, KafkaTimeoutError) and not isinstance(found, AccessError)):
        return BrokerError(f"Kafka at {bootstrap} {otherwise}: {error!r}")  # it names what timed out
    return found


async def refusal(bootstrap: str, security: Mapping[str, Any] | None) -> BrokerError | None:
    """Try to connect, once, as the clients do; return the obstacle, None if there is none.

    A broker that answers names all others by the addresses that they advertise: those are tried as well.
    """
    options = dict(security or {})
    first: BrokerError | None = None
    for host, port, _ in collect_hosts(bootstrap, randomize=False):
        found = await _try(host, port, options)
        if isinstance(found, BrokerError):
            if first is None or isinstance(found, AccessError) > isinstance(first, AccessError):
                first = found  # a mistake in the credentials explains more than an address that is down
            continue
        for other in [one for one in found if one != (host, port)]:
            refused = await _try(*other, options)
            if isinstance(refused, BrokerError):
                where = f"Kafka advertises a broker at {other[0]}:{other[1]} (advertised.listeners): "
                return type(refused)(where + str(refused))
        return None
    return first


async def _try(host: str, port: int, options: Mapping[str, Any]) -> BrokerError | list[tuple[str, int]]:
    """Return the addresses of all brokers that this broker names, or the obstacle."""
    connection: AIOKafkaConnection | None = None
    try:
        connection = await create_conn(host, port, request_timeout_ms=TRY_MS, **options)
        answer = await connection.send(MetadataRequest([]))
        return [(broker[1], broker[2]) for broker in answer.brokers]
    except (KafkaError, OSError, ValueError, AssertionError) as error:  # the last two: the address is no Kafka broker
        return _why(error, f"{host}:{port}", options)
    finally:
        if connection is not None:
            closed = connection.close()
            if closed is not None:
                await asyncio.wait([closed], timeout=1)


def _why(error: BaseException, address: str, options: Mapping[str, Any]) -> BrokerError:
    """Return an error of one connection in our words."""
    if isinstance(error, KafkaConnectionError) and isinstance(error.__cause__, ssl.SSLError):
        error = error.__cause__
    match error:
        case TokenUnavailableError():
            return AccessError(f"no token for Kafka at {address}: {_said(error)}")
        case ssl.SSLCertVerificationError():
            return _distrust(error, address)
        case ssl.SSLError():
            return _alert(error, address, options)
        case KafkaConnectionError() | ConnectionResetError() | BrokenPipeError():
            return _closed(address, options)
        case KafkaError():
            return _refused_login(error, address, options)
    return _unreachable(error, address)


def _closed(address: str, options: Mapping[str, Any]) -> AccessError:
    """Return the likely reasons why a broker closed a connection without an error."""
    protocol, mechanism = options.get("security_protocol", "PLAINTEXT"), options.get("sasl_mechanism")
    doubts = f"does its listener speak {protocol} (security.protocol)?"
    if mechanism == "OAUTHBEARER":  # aiokafka drops the broker's message about a token
        doubts = (
            "it does not accept the token (look at client_id, scope, audience, its time, and whether Kafka trusts its "
            f"issuer), or its listener does not speak {protocol} with {mechanism}"
        )
    elif protocol == "SSL":
        doubts += " Does it ask for a certificate that it does not get (security.certificate_file)?"
    return AccessError(f"Kafka at {address} closes the connection: {doubts}")


def _refused_login(error: KafkaError, address: str, options: Mapping[str, Any]) -> BrokerError:
    """Return SASL's error in our words."""
    mechanism, said = options.get("sasl_mechanism"), _said(error)
    match error:
        case SaslAuthenticationFailed():
            told = f"refuses the user {options.get('sasl_plain_username')}: wrong password or user ({said})"
        case UnsupportedSaslMechanismError():
            told = f"does not offer {mechanism} (security.mechanism)"
        case IllegalSaslStateError():
            told = f"expects no SASL there: security.protocol is {options.get('security_protocol')}"
        case _:
            return BrokerError(f"Kafka at {address} does not answer as it should: {error!r}")
    return AccessError(f"Kafka at {address} {told}")


def _unreachable(error: BaseException, address: str) -> BrokerError:
    if isinstance(error, TimeoutError):
        return BrokerError(f"Kafka at {address} does not answer within {TRY_MS / 1000:g} s")
    reason = repr(error)
    if isinstance(error, OSError) and error.errno is not None:
        # asyncio puts words of its own before the reason. Errors of name resolution have numbers below zero.
        reason = os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return BrokerError(f"Kafka at {address} cannot be reached: {reason}")


def _distrust(error: ssl.SSLCertVerificationError, address: str) -> BrokerError:
    """Return the reason why the monitor does not trust a broker."""
    said = error.verify_message.rstrip(".")
    if error.verify_code in _WRONG_NAME:
        return AccessError(
            f"the certificate of Kafka at {address} is not for that name: {said}. Reach it by a name of its "
            "certificate, or have one made with this name (subjectAltName)"
        )
    if error.verify_code in _WRONG_TIME:
        return BrokerError(f"the certificate of Kafka at {address} is not valid now: {said}. Renew it")
    return AccessError(
        f"the certificate of Kafka at {address} is signed by no authority that the monitor trusts: {said} "
        "(security.ca_file)"
    )


def _alert(error: ssl.SSLError, address: str, options: Mapping[str, Any]) -> AccessError:
    """Return a TLS error that is not about the broker's certificate: most are about the monitor's own certificate."""
    reason = error.reason or ""
    if "ALERT" not in reason:
        protocol = options.get("security_protocol")
        return AccessError(f"Kafka at {address} speaks no TLS there: security.protocol is {protocol} ({reason})")
    said = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
    if said in _NO_CERTIFICATE:
        return AccessError(
            f"Kafka at {address} asks for a certificate of the monitor and gets none ({said}): set "
            "security.certificate_file and key_file"
        )
    return AccessError(
        f"Kafka at {address} refuses the monitor's certificate ({said}): is it signed by an authority that Kafka "
        "trusts, and valid now (security.certificate_file)?"
    )


def _said(error: BaseException) -> str:
    """Return the broker's message alone: an error of aiokafka shows its number and class before it."""
    return " ".join(one for one in error.args if isinstance(one, str)) or type(error).__name__
