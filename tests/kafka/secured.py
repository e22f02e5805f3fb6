"""A broker that lets nobody in without credentials and allows only what was granted; and an installation on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
import time
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka.conn import AIOKafkaConnection
from click.testing import CliRunner, Result
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from monitor.bootstrap import Monitor
from monitor.cli.root import root
from monitor.config.settings.settings import Settings, load_settings
from monitor.installation import needed_rights
from monitor.stream.kafka.rights import Right, Role
from tests.kafka.broker import KafkaBroker
from tests.kafka.certificates import Authority, Certified, TokenSigner

JIRA = Path(__file__).parents[2] / "deploy" / "mappings" / "jira.yaml"
PASSWORD = "it's a password"
KEY_PASSWORD = "the key's own"
_SECURITY = "org.apache.kafka.common.security"
_OPERATIONS = {
    "Read": AclOperation.READ, "Write": AclOperation.WRITE, "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}  # fmt: skip
_KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional id": ResourceType.TRANSACTIONAL_ID}


class TokenEndpoint:
    """Gives tokens to clients that know their secret: the small part of an authorization server that is used here."""

    def __init__(self, signer: TokenSigner, certified: Certified) -> None:
        self.lifetime_s = 60.0
        self.given = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                known = self.headers["Authorization"] == "Basic dG9rZW5zOnRoZStzZWNyZXQ="  # tokens:the+secret
                if not known or form != {"grant_type": ["client_credentials"], "scope": ["kafka"]}:
                    self._answer(401, {"error": "invalid_client"})
                    return
                endpoint.given += 1
                token = signer.token("tokens", endpoint.lifetime_s)
                self._answer(200, {"access_token": token, "expires_in": endpoint.lifetime_s, "token_type": "Bearer"})

            def _answer(self, status: int, body: Mapping[str, Any]) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified.certificate, certified.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"https://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Secured:
    """The broker with its authority, its token endpoint and those who may come in."""

    def __init__(self, broker: KafkaBroker, authority: Authority, tokens: TokenEndpoint, folder: Path) -> None:
        self.broker = broker
        self.authority = authority
        self.tokens = tokens
        self.folder = folder
        self.stranger = Authority(folder / "stranger", "An authority that nobody trusts")
        self.unknown = self.stranger.certify("worker")
        self.client = authority.certify("worker", key_password=KEY_PASSWORD)
        self.admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})

    def environment(self, way: str, **security: str) -> dict[str, str]:
        """Return the variables of one way to come in: ``scram``, ``plain``, ``tokens`` or ``tls``.

        ``security`` replaces some of them; an empty one takes it away.
        """
        listener = "MUTUAL" if way == "tls" else "SASL"
        values = {"ca_file": str(self.authority.file), "protocol": "SSL" if way == "tls" else "SASL_SSL"}
        if way == "tls":
            values |= {
                "certificate_file": str(self.client.certificate),
                "key_file": str(self.client.key),
                "key_password": KEY_PASSWORD,
            }
        elif way == "tokens":
            values |= {
                "mechanism": "OAUTHBEARER", "token_endpoint": self.tokens.address, "client_id": "tokens",
                "client_secret": "the secret", "scope": "kafka", "token_ca_file": str(self.authority.file),
            }  # fmt: skip
        else:
            mechanism = {"scram": "SCRAM-SHA-512", "plain": "PLAIN"}[way]
            values |= {"mechanism": mechanism, "username": way, "password": PASSWORD}
        return {
            "SLA_MONITOR_BOOTSTRAP": security.pop("bootstrap", self.broker.addresses[listener]),
            **{f"SLA_MONITOR_SECURITY_{name.upper()}": value for name, value in (values | security).items()},
        }

    def user(self, way: str) -> str:
        """Return who one is who comes in that way."""
        return "User:CN=worker" if way == "tls" else way

    def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Grant rights."""
        bindings = [_binding(user, right) for right in rights]
        for done in self.admin.create_acls(bindings).values():
            done.result(30)
        self._until_known(user, lambda held: held.issuperset(bindings))

    def withdraw(self, user: str, rights: Iterable[Right]) -> None:
        """Take rights away."""
        bindings = [_binding(user, right) for right in rights]
        filters = [
            AclBindingFilter(one.restype, one.name, one.resource_pattern_type, one.principal, one.host, one.operation,
                             one.permission_type)
            for one in bindings
        ]  # fmt: skip
        for done in self.admin.delete_acls(filters).values():
            assert len(done.result(30)) == 1
        self._until_known(user, lambda held: held.isdisjoint(bindings))

    @contextlib.contextmanager
    def without(self, user: str, *rights: Right) -> Iterator[None]:
        """Take rights away for a while."""
        self.withdraw(user, rights)
        try:
            yield
        finally:
            self.grant(user, rights)

    def _until_known(self, user: str, done: Callable[[set[AclBinding]], bool]) -> None:
        """Wait until the broker's authorizer has heard of it from the controller."""
        asked = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, _principal(user), None, AclOperation.ANY,
            AclPermissionType.ANY,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not done(set(self.admin.describe_acls(asked).result(30))):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def certify_broker(self, certified: Certified) -> None:
        """Give the running broker another certificate."""
        entry = ConfigEntry(
            "listener.name.mutual.ssl.keystore.location", str(certified.store),
            incremental_operation=AlterConfigOpType.SET,
        )  # fmt: skip
        change = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[entry])
        for done in self.admin.incremental_alter_configs([change]).values():
            done.result(30)


def _principal(user: str) -> str:
    return user if user.startswith("User:") else f"User:{user}"


def _binding(user: str, right: Right) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return AclBinding(
        _KINDS[right.kind],
        right.name,
        pattern,
        _principal(user),
        "*",
        _OPERATIONS[right.operation],
        AclPermissionType.ALLOW,
    )


def wait_for_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each event loop wait, at its end, for the connections that aiokafka is closing.

    aiokafka closes the connection to the bootstrap address, and one that was refused, but does not wait until TLS has
    said goodbye. Where a command is a process this is no matter. Here the socket that it leaves behind fails whatever
    test runs when it is collected.
    """
    closing: set[asyncio.Future[None]] = set()
    close, end = AIOKafkaConnection.close, asyncio.Runner.close

    def closed(connection: AIOKafkaConnection, *why: Any, **more: Any) -> asyncio.Future[None]:
        goodbye = close(connection, *why, **more)
        if goodbye is not None:
            closing.add(goodbye)
        return goodbye

    def ended(runner: asyncio.Runner) -> None:
        loop = runner._loop
        own = {goodbye for goodbye in closing if goodbye.get_loop() is loop}
        closing.difference_update(own)
        if waiting := [goodbye for goodbye in own if not goodbye.done()]:
            loop.run_until_complete(asyncio.wait(waiting, timeout=30))
        end(runner)

    monkeypatch.setattr(AIOKafkaConnection, "close", closed)
    monkeypatch.setattr(asyncio.Runner, "close", ended)


@contextlib.contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """Start the broker."""
    authority = Authority(folder / "authority", "The authority")
    named = authority.certify("kafka", "IP:127.0.0.1", "DNS:kafka.example")
    foreign = authority.certify("kafka", "DNS:kafka.example")
    old = authority.certify("kafka", "IP:127.0.0.1", expired=True)
    signer = TokenSigner(folder)
    jwks = signer.jwks.as_uri()
    login = f'{_SECURITY}.plain.PlainLoginModule required user_plain="{PASSWORD}";'
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # who comes by the plain listener: the broker itself, and the tests
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(named.store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "inter.broker.listener.name": "PLAINTEXT",
        "connections.max.idle.ms": "600000",
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512,OAUTHBEARER",
        "listener.name.sasl.plain.sasl.jaas.config": login,
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{_SECURITY}.scram.ScramLoginModule required;",
        "listener.name.sasl.oauthbearer.sasl.jaas.config": f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule required;",
        "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class":
            f"{_SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler",
        "listener.name.sasl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url": jwks,
        "listener.name.sasl.oauthbearer.connections.max.reauth.ms": "600000",  # or when the token ends
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.foreign.ssl.keystore.location": str(foreign.store),
        "listener.name.foreign.ssl.keystore.type": "PEM",
        "listener.name.old.ssl.keystore.location": str(old.store),
        "listener.name.old.ssl.keystore.type": "PEM",
    }  # fmt: skip
    listeners = {
        "SASL": ("SASL_SSL", "127.0.0.1"),
        "MUTUAL": ("SSL", "127.0.0.1"),
        "FOREIGN": ("SSL", "127.0.0.1"),  # with a certificate for another name
        "OLD": ("SSL", "127.0.0.1"),  # with an expired one
        "ADVERTISED": ("SSL", "localhost"),  # its certificate is not for the name that it advertises
    }
    broker = KafkaBroker(
        properties,
        listeners=listeners,
        java=[f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={jwks}"],
        format_options=["--add-scram", f'SCRAM-SHA-512=[name=scram,password="{PASSWORD}"]'],
    )
    certified = authority.certify("tokens", "IP:127.0.0.1")
    with broker, TokenEndpoint(signer, certified) as tokens:
        yield Secured(broker, authority, tokens, folder)


class Installation:
    """One installation on the broker: its names in the environment of every command."""

    def __init__(self, secured: Secured, way: str, mark: str = "") -> None:
        self.secured = secured
        self.way = way
        self.user = secured.user(way)
        self.mark = mark or uuid.uuid4().hex[:8]
        self.hooks = f"{self.mark}-hooks"
        file = secured.folder / f"{self.mark}.yaml"
        file.write_text(f"sources: [{{topic: {self.hooks}, mapping: {JIRA}}}]\n")
        self.names = {"SLA_MONITOR_SETTINGS": str(file), "SLA_MONITOR_APP_ID": self.mark,
                      "SLA_MONITOR_TOPICS_PARTITIONS": "1",
                      "SLA_MONITOR_WEB_PORT": "0", "SLA_MONITOR_SESSION_TIMEOUT": "6s"}  # fmt: skip
        for topic in ("tickets", "calls", "outages", "leads", "agreements", "partials", "alerts", "status",
                      "statements", "reports", "deliveries", "responses", "markers", "dead_letters"):  # fmt: skip
            self.names[f"SLA_MONITOR_TOPICS_{topic.upper()}"] = f"{self.mark}-{topic.replace('_', '-')}"

    def environment(self, **security: str) -> dict[str, str]:
        """Return all variables."""
        return self.names | self.secured.environment(self.way, **security)

    def settings(self, **security: str) -> Settings:
        """Return the settings of the commands and the worker."""
        return load_settings(None, self.environment(**security))

    def create_foreign_topic(self) -> None:
        """Create the topic of others, as its producer would."""
        for done in self.secured.admin.create_topics([NewTopic(self.hooks, 1)]).values():
            done.result(30)

    def rights(self, role: Role) -> list[Right]:
        """Return what ``topics acls`` prints for a role."""
        return needed_rights(self.settings(), role)

    def run(self, *arguments: str | Path, **security: str) -> Result:
        """Run a command."""
        variables = self.environment(**security)
        return CliRunner().invoke(root, [str(one) for one in arguments], env=variables)

    @contextlib.asynccontextmanager
    async def worker(self, settings: Settings | None = None) -> AsyncIterator[asyncio.Task[None]]:
        """Run a worker without looking at its topics first; end it."""
        monitor = Monitor(settings or self.settings())
        running = asyncio.create_task(monitor.run())
        try:
            yield running
        finally:
            monitor.app.request_stop()
            await asyncio.wait([running], timeout=60)
            running.exception()
