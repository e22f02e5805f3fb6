"""The consequences of the settings for every program that reaches the installation: its brokers, topics and rights."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from monitor.config.reading.secrets import revealed
from monitor.config.settings.security import SecuritySettings
from monitor.config.settings.settings import Settings
from monitor.config.settings.sources import SourceSettings
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.errors import ConfigError, Mistake
from monitor.stream.kafka.rights import Right, Role, rights_of
from monitor.stream.kafka.tokens import ClientCredentials
from monitor.stream.kafka.topics import TopicNames, TopicSpec, plan_topics
from monitor.stream.partitions.clock import wall_ms

_UTC_TIME: Final = 0x17
_TIME: Final = rb"(\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)"
_VALIDITY: Final = re.compile(rb"\x30[\x1e-\x22]" + _TIME + _TIME)
"""The validity of a certificate in DER: a sequence of exactly two times."""

TOPIC_OF: Final[dict[Subject, str]] = {"ticket": "tickets", "call": "calls", "outage": "outages", "lead": "leads"}
"""The setting under ``topics`` that names each subject's topic."""


def security_options(security: SecuritySettings) -> dict[str, Any]:
    """Return aiokafka's keywords for reaching the brokers. Printing a container of them prints no password.

    The files are read now: a rotation needs a new process.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    options: dict[str, Any] = {}
    if security.protocol == "PLAINTEXT":
        return options
    options["security_protocol"] = security.protocol
    if security.protocol in ("SSL", "SASL_SSL"):
        options["ssl_context"] = _tls(security)
    if security.mechanism == "OAUTHBEARER":
        options["sasl_mechanism"] = security.mechanism
        options["sasl_oauth_token_provider"] = _tokens(security)
    elif security.mechanism:
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = revealed(security.password)
    return options


def _tokens(security: SecuritySettings) -> ClientCredentials:
    assert security.token_endpoint is not None, "the settings are complete"
    assert security.client_id is not None, "the settings are complete"
    assert security.client_secret is not None, "the settings are complete"
    return ClientCredentials(
        security.token_endpoint,
        security.client_id,
        security.client_secret.get_secret_value(),
        scope=security.scope,
        context=_trusting(security.token_ca_file, "token_ca_file"),
    )


def _tls(security: SecuritySettings) -> ssl.SSLContext:
    context = _trusting(security.ca_file, "ca_file")
    certificate, key = security.certificate_file, security.key_file
    if certificate is None or key is None:
        return context
    for field, file in (("certificate_file", certificate), ("key_file", key)):
        _readable(file, field)
    password = security.key_password.get_secret_value() if security.key_password else ""
    asked: list[bool] = []

    def answer() -> str:  # without a callback OpenSSL would ask for the password at the terminal
        asked.append(True)
        return password

    try:
        context.load_cert_chain(certificate, key, answer)
    except (ssl.SSLError, ValueError) as error:
        raise _unusable(*_why_not(security, error, was_asked=bool(asked))) from None
    _valid_now(certificate)
    return context


def _valid_now(certificate: str) -> None:
    """Refuse a certificate that is out of date.

    Kafka itself would only answer that it does not know the certificate.
    """
    found = _VALIDITY.search(ssl.PEM_cert_to_DER_cert(_first_certificate(certificate)))
    if found is None:
        return
    begin, end = (_instant(one) for one in found.groups())
    now = datetime.fromtimestamp(wall_ms() / 1000, UTC)
    if not begin <= now < end:
        message = (
            f"has expired on {end:%Y-%m-%d %H:%M}Z" if now >= end else f"is valid only from {begin:%Y-%m-%d %H:%M}Z"
        )
        raise _unusable("certificate_file", f"{message}: {certificate}", "renew it, or look at this machine's clock")


def _first_certificate(file: str) -> str:
    text = Path(file).read_text(encoding="ascii", errors="replace")
    begin = text.index(ssl.PEM_HEADER)
    return text[begin : text.index(ssl.PEM_FOOTER, begin) + len(ssl.PEM_FOOTER)]


def _instant(der: bytes) -> datetime:
    """Return a time of a certificate: UTCTime has two digits of the year (1950 to 2049), GeneralizedTime four."""
    digits = der[2:-1].decode()
    if der[0] == _UTC_TIME:
        digits = ("19" if digits >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _why_not(security: SecuritySettings, error: Exception, *, was_asked: bool) -> tuple[str, str, str]:
    """Return the setting of the monitor's own certificate that is wrong, the mistake, and how to correct it."""
    certificate, key = security.certificate_file, security.key_file
    if was_asked and security.key_password is None:
        return "key_password", f"is missing: {key} is encrypted", "set SLA_MONITOR_SECURITY_KEY_PASSWORD"
    if was_asked:
        return "key_password", f"does not open {key}", "it is another key's password"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return "key_file", f"is not the key of {certificate}: {key}", ""
    if b"-----BEGIN CERTIFICATE" not in Path(str(certificate)).read_bytes():
        return "certificate_file", f"holds no certificate in PEM: {certificate}", ""
    return "key_file", f"holds no key in PEM that OpenSSL can use: {key}", ""


def _trusting(file: str | None, field: str) -> ssl.SSLContext:
    """Return a context that trusts the authorities in a file; without a file, those of the system."""
    if file is None:
        return ssl.create_default_context()
    _readable(file, field)
    try:
        context = ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        raise _unusable(field, f"holds no certificates in PEM: {file}", "") from None
    return context


def _readable(file: str, field: str) -> None:
    try:
        Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise _unusable(field, f"cannot be read: {file}: {why}", "") from None


def _unusable(field: str, message: str, hint: str) -> ConfigError:
    return ConfigError([Mistake(file="settings", line=None, path=f"security.{field}", message=message, hint=hint)])


def topic_plan(settings: Settings, changelog_config: Mapping[str, str] | None = None) -> list[TopicSpec]:
    """Return all topics of an installation in the shape that its settings demand."""
    topics = settings.topics
    return plan_topics(
        settings.app_id,
        topic_names(settings),
        partitions=topics.partitions,
        source_retention_ms=topics.event_retention_ms,
        long_retention_ms=topics.alert_retention_ms,
        changelog_config=changelog_config,
    )


def topic_names(settings: Settings) -> TopicNames:
    """Return the names of the topics of an installation."""
    topics = settings.topics
    return TopicNames(
        sources=tuple(topic_of(settings, subject) for subject in SUBJECTS),
        agreements=topics.agreements,
        partials=topics.partials,
        alerts=topics.alerts,
        status=topics.status,
        statements=topics.statements,
        reports=topics.reports,
        dead_letters=topics.dead_letters,
        foreign={source.topic: partitions_of(settings, source) for source in settings.sources},
        deliveries=topics.deliveries,
        responses=topics.responses,
        markers=topics.markers,
    )


def needed_rights(settings: Settings, role: Role) -> list[Right]:
    """Return the least rights that a role needs for the topics in the settings."""
    fed = {topic_of(settings, source.rows().subject) for source in settings.sources}
    return rights_of(role, settings.app_id, topic_names(settings), fed)


def consumed_topics(settings: Settings) -> set[str]:
    """Return the topics whose records the workers work on, one by one."""
    topics = settings.topics
    events = {topic_of(settings, subject) for subject in SUBJECTS}
    return events | {source.topic for source in settings.sources} | {topics.partials, topics.alerts}


def topic_of(settings: Settings, subject: Subject) -> str:
    """Return the name of a subject's topic."""
    return str(getattr(settings.topics, TOPIC_OF[subject]))


def consumed(settings: Settings) -> list[str]:
    """Return the topics that workers consume, each with a changelog of its own."""
    topics = settings.topics
    sources = [topic_of(settings, subject) for subject in SUBJECTS]
    return [*sources, topics.partials, topics.alerts, *(source.topic for source in settings.sources)]


def partitions_of(settings: Settings, source: SourceSettings) -> int:
    """Return the number of partitions of a foreign topic."""
    return source.partitions or settings.topics.partitions
