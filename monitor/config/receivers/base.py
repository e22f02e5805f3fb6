"""The settings that every kind of receiver has, and the types of the fields that several kinds share.

The model of each kind, in its module under `monitor.config.receivers.kinds`, extends `ReceiverSettings`. Secrets need
not stand in the settings file: see `monitor.config.reading.variables`.
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self, TypeGuard
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, SecretStr, model_validator

from monitor.config.reading.quantities import PositiveDuration, duration
from monitor.config.reading.secrets import Secret, SecretAddress, secrets_in
from monitor.config.reading.shape import Shape, Text, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_LONGEST_TIMEOUT_MS: Final = 30_000
_LONGEST_URL: Final = 1_500
_NO_CREDENTIALS: Final = frozenset({"url", "link", "proxy"})
"""Fields that may hold secrets, and that `_readable_on_the_way` judges one by one."""


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


def _timeout(value: int) -> int:
    if value > _LONGEST_TIMEOUT_MS:
        raise wrong("is longer than 30s", "a page must not wait for one receiver")
    return value


def _repeat(value: object) -> int | Literal["never"]:
    if value == "never":
        return "never"
    parsed = duration(value)
    if parsed < 60_000:  # noqa: PLR2004 - a minute
        raise wrong("is shorter than 1m", "write never where a standing breach is to be told once")
    return parsed


ReceiverName = Annotated[str, AfterValidator(_name)]
Url = Annotated[SecretAddress, AfterValidator(_url)]
BaseUrl = Annotated[SecretAddress, AfterValidator(_base_url)]
ProxyUrl = Annotated[SecretAddress, AfterValidator(_proxy)]
HeaderValue = Annotated[Secret, AfterValidator(_header_value)]
Timeout = Annotated[PositiveDuration, AfterValidator(_timeout)]
Repeat = Annotated[int | Literal["never"], PlainValidator(_repeat)]


class ReceiverSettings(Shape):
    """The settings that every kind has. URLs count as secrets: the path of many is one.

    It prints its kind alone: any of its texts may come out of a variable.
    """

    url_is_secret: ClassVar[bool] = False
    """Whether whoever knows the address may post to it, so that the address must not go out unencrypted."""

    if TYPE_CHECKING:
        # Each kind declares it as a literal. At runtime it must be the first of the kind's own fields: the order of
        # the fields is a part of `stamp_of`.
        kind: str

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


def _readable_on_the_way(receiver: ReceiverSettings) -> Iterator[str]:
    """Return the settings whose secrets others can read on their way: over ``http://`` to another machine.

    An address counts as a secret if it has a query, or if its kind says so.
    """
    url, proxy = getattr(receiver, "url", None), receiver.proxy
    if _is_clear(url):
        for name in type(receiver).model_fields:
            if name not in _NO_CREDENTIALS and any(True for _ in secrets_in(getattr(receiver, name))):
                yield name
        if urlsplit(url.get_secret_value()).query or receiver.url_is_secret:
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


def secrets_of(receiver: Shape) -> Iterator[str]:
    """Return every secret of a receiver's settings: no output may show one."""
    return (one.get_secret_value() for one in secrets_in(receiver))


def stamp_of(receiver: Shape) -> str:
    """Return a digest of a receiver's settings, secrets included: it changes whenever one of them does."""
    fields = {name: getattr(receiver, name) for name in type(receiver).model_fields}
    held = "\x1f".join((repr(fields), *secrets_of(receiver)))
    return hashlib.blake2b(held.encode(), digest_size=8).hexdigest()
