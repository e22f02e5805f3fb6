"""Receivers: where notices are sent, by the name that agreements use.

Each kind is a service with its own settings. Secrets need not stand in the file: see
`monitor.config.reading.variables`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeGuard
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, SecretStr, model_validator

from monitor.config.reading.quantities import LONGEST_DURATION_MS, PositiveDuration, duration
from monitor.config.reading.secrets import Secret, SecretAddress, SecretUrl, secrets_in
from monitor.config.reading.shape import Shape, Text, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OWN_HEADERS: Final = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "authorization", "connection", "user-agent"}
)
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
_LONGEST_TIMEOUT_MS: Final = 30_000
_LONGEST_URL: Final = 1_500
_NO_CREDENTIALS: Final = frozenset({"url", "link", "proxy"})
"""What may hold secrets, and is looked at in its own way."""
_MOST_TAGS: Final = 20
_LONGEST_TAG: Final = 50


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise wrong(f"is no name of a receiver: {value[:120]!r}", "use at most 100 letters, digits, '-', '_' and '.'")
    return value


def _is_printable_ascii(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def _url(value: SecretStr) -> SecretStr:
    """Refuse what is no address; the messages do not repeat it, for its path is often a secret."""
    text = value.get_secret_value()
    if len(text) > _LONGEST_URL:
        raise wrong(f"has more than {_LONGEST_URL:,} characters")
    if not _is_printable_ascii(text):
        raise wrong("is no URL", "write it with percent signs (%20) and xn-- for what is not ASCII, without blanks")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong("is no URL", "write https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise wrong("is no URL", "write https://host/path")
    if parts.username is not None:
        raise wrong("holds a user or password", "write authorization: Basic …")
    if parts.fragment:
        raise wrong("holds a '#' part", "leave it out")
    return value


def _base_url(value: SecretStr) -> SecretStr:
    if urlsplit(_url(value).get_secret_value()).query:
        raise wrong(
            "holds a '?' part", "write only the part before the path of the API: https://host or https://host/prefix"
        )
    return value


def _proxy(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme != "http" or not parts.hostname or not _is_printable_ascii(value.get_secret_value()):
        raise wrong("is no address of a proxy", "write http://host:port")
    return value


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text != text.strip() or not all(" " <= character <= "~" for character in text) or not text:
        raise wrong("is no value of a header", "use visible ASCII characters, and no line break")
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value) or value.lower() in _OWN_HEADERS or value.lower().startswith("webhook-"):
        raise wrong(f"is no header that can be set: {value[:100]!r}", "authorization has a setting of its own")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    signing_key(value)
    return value


def signing_key(secret: SecretStr) -> bytes:
    """Return the bytes that a ``whsec_`` secret of Standard Webhooks stands for."""
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise wrong(
            "is no signing secret",
            "write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)",
        )
    return key


def _routing_key(value: SecretStr) -> SecretStr:
    if not _ROUTING_KEY.fullmatch(value.get_secret_value()):
        raise wrong("is no integration key", "it has 32 letters and digits: Service, Integrations, Events API V2")
    return value


def _timeout(value: int) -> int:
    if value > _LONGEST_TIMEOUT_MS:
        raise wrong("is longer than 30s", "a page must not wait for one receiver")
    return value


def _expiry(value: int) -> int:
    if not 60_000 <= value <= LONGEST_DURATION_MS:  # noqa: PLR2004 - a minute
        raise wrong("is shorter than 1m", "an alert that is not posted again would end by itself")
    return value


def _repeat(value: object) -> int | Literal["never"]:
    if value == "never":
        return "never"
    parsed = duration(value)
    if parsed < 60_000:  # noqa: PLR2004 - a minute
        raise wrong("is shorter than 1m", "write never where a standing breach is to be told once")
    return parsed


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise wrong(f"is no name of a label: {value[:100]!r}", "use letters, digits and '_', and begin with no digit")
    return value


def _tag(value: str) -> str:
    if len(value) > _LONGEST_TAG:
        raise wrong(f"has more than {_LONGEST_TAG} characters")
    return value


ReceiverName = Annotated[str, AfterValidator(_name)]
Url = Annotated[SecretAddress, AfterValidator(_url)]
BaseUrl = Annotated[SecretAddress, AfterValidator(_base_url)]
ProxyUrl = Annotated[SecretAddress, AfterValidator(_proxy)]
HeaderValue = Annotated[Secret, AfterValidator(_header_value)]
HeaderName = Annotated[str, AfterValidator(_header)]
SigningSecret = Annotated[Secret, AfterValidator(_signing_secret)]
RoutingKey = Annotated[Secret, AfterValidator(_routing_key)]
Timeout = Annotated[PositiveDuration, AfterValidator(_timeout)]
Expiry = Annotated[PositiveDuration, AfterValidator(_expiry)]
Repeat = Annotated[int | Literal["never"], PlainValidator(_repeat)]
LabelName = Annotated[str, AfterValidator(_label)]
Tag = Annotated[Text, AfterValidator(_tag)]


class _Receiver(Shape):
    """What every kind has. URLs count as secrets: the path of many is one.

    It prints its kind alone: any of its texts may come out of a variable.
    """

    timeout_ms: Timeout = Field(
        default=15_000,
        alias="timeout",
        description="How long one attempt may take, from the look-up of its host to the answer.",
    )
    repeat_every_ms: Repeat = Field(
        default=14_400_000,
        alias="repeat_every",
        description="A breach that stands and that nobody has acknowledged is told again after this; never: it is not.",
    )
    max_connections: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Attempts of one worker at the same time."
    )
    ca_file: Text | None = Field(default=None, description="Certificates that the receiver is checked against.")
    proxy: ProxyUrl | None = Field(default=None, description="Proxy to reach it through; none of the environment's.")
    link: Url | None = Field(default=None, description="A page for people that notices link to: the dashboards.")
    insecure: bool = Field(default=False, description="Let secrets go out unencrypted, over http://.")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        readable = [] if self.insecure else list(_readable_on_the_way(self))
        if readable:
            raise wrong(
                f"would send {', '.join(readable)} unencrypted, over http://",
                "write https://, or insecure: true if nobody can listen on that network",
            )
        return self

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Return what ``repr`` and ``str`` show."""
        yield "kind", getattr(self, "kind", "")


def _readable_on_the_way(receiver: _Receiver) -> Iterator[str]:
    """Return the settings whose secrets others can read on their way: over ``http://`` to another machine.

    Without other secrets an address counts as one if it has a query, or if it is all that an incoming webhook has.
    """
    url, proxy = getattr(receiver, "url", None), receiver.proxy
    if _is_clear(url):
        for name in type(receiver).model_fields:
            if name not in _NO_CREDENTIALS and any(True for _ in secrets_in(getattr(receiver, name))):
                yield name
        if urlsplit(url.get_secret_value()).query or isinstance(receiver, SlackReceiver):
            yield "url"
    if proxy is not None and _is_clear(proxy) and urlsplit(proxy.get_secret_value()).username is not None:
        yield "proxy"


def _is_clear(url: SecretStr | None) -> TypeGuard[SecretStr]:
    """Return whether an address is reached unencrypted, and not on this machine: a sidecar is."""
    if url is None:
        return False
    parts = urlsplit(url.get_secret_value())
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class GenericReceiver(_Receiver):
    """Any service that takes CloudEvents, signed as Standard Webhooks says."""

    kind: Literal["generic"]
    url: Url = Field(description="Where notices are posted.")
    secrets: list[SigningSecret] = Field(
        min_length=1, max_length=5, description="Signing secrets (whsec_…): the new one beside the old one to rotate."
    )
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Further headers, for gateways.")


class AlertmanagerReceiver(_Receiver):
    """Whatever takes the webhook of Alertmanager (version 4 of its payload)."""

    kind: Literal["alertmanager"]
    url: Url = Field(description="Where the payload is posted.")
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")


class AlertmanagerApiReceiver(_Receiver):
    """An Alertmanager, which groups, silences and routes. Of a cluster each member is a receiver."""

    kind: Literal["alertmanager_api"]
    url: BaseUrl = Field(description="Address of the Alertmanager, without /api/v2.")
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")
    labels: dict[LabelName, Text] = Field(default={}, description="Labels that every alert gets, for its routes.")
    expires_after_ms: Expiry = Field(
        default=604_800_000,
        alias="expires_after",
        description="An alert of which nothing more is heard ends after this, should its end get lost.",
    )


class PagerDutyReceiver(_Receiver):
    """A service of PagerDuty, by Events API v2."""

    kind: Literal["pagerduty"]
    routing_key: RoutingKey = Field(description="Integration key of an Events API V2 integration.")
    url: Url = Field(
        default=SecretUrl("https://events.pagerduty.com/v2/enqueue"),
        description="https://events.eu.pagerduty.com/v2/enqueue in the EU.",
    )


class OpsgenieReceiver(_Receiver):
    """An API integration of Opsgenie (which Atlassian ends in April 2027)."""

    kind: Literal["opsgenie"]
    api_key: HeaderValue = Field(description="Key of an API integration (not of the account).")
    url: BaseUrl = Field(
        default=SecretUrl("https://api.opsgenie.com"), description="https://api.eu.opsgenie.com in the EU."
    )
    teams: list[Text] = Field(default=[], max_length=50, description="Teams that respond; none: the integration's.")
    tags: list[Tag] = Field(default=[], max_length=_MOST_TAGS, description="Tags of the alerts.")


class SlackReceiver(_Receiver):
    """A channel of Slack: an incoming webhook (url), or a bot (token and channel)."""

    kind: Literal["slack"]
    url: Url | None = Field(
        default=None, description="URL of an incoming webhook; with a token, of another chat.postMessage than Slack's."
    )
    token: HeaderValue | None = Field(default=None, description="Token of a bot with chat:write (xoxb-…).")
    channel: Text | None = Field(default=None, description="Channel that the bot posts to.")

    @model_validator(mode="after")
    def _one_way(self) -> SlackReceiver:
        if (self.token is None) != (self.channel is None):
            raise wrong("token and channel need each other")
        if self.url is None and self.token is None:
            raise wrong("needs url, or token and channel", "url is that of an incoming webhook")
        return self


Receiver = Annotated[
    GenericReceiver
    | AlertmanagerReceiver
    | AlertmanagerApiReceiver
    | PagerDutyReceiver
    | OpsgenieReceiver
    | SlackReceiver,
    Field(discriminator="kind"),
]


def secrets_of(receiver: Shape) -> Iterator[str]:
    """Return every secret of a receiver's settings: what must not be told."""
    return (one.get_secret_value() for one in secrets_in(receiver))


def stamp_of(receiver: Shape) -> str:
    """Return what changes whenever anything in a receiver's settings does, secrets too, and tells none of them."""
    fields = {name: getattr(receiver, name) for name in type(receiver).model_fields}
    held = "\x1f".join((repr(fields), *secrets_of(receiver)))
    return hashlib.blake2b(held.encode(), digest_size=8).hexdigest()
