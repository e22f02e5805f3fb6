"""Secrets of the settings: the one type that holds them, and the one way to print them.

Passwords, keys and tokens are `SecretText`; addresses are `SecretUrl`, for the path, the query and the user of many
carry a token. Both print as ``********``; an address prints its scheme and its host too, which tell receivers apart.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Final, get_args
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, SecretStr

HIDDEN: Final = "********"
"""How a secret is printed, whatever it is and wherever."""


class SecretText(SecretStr):
    """A text that is never printed."""

    def _display(self) -> str:
        return HIDDEN


class SecretUrl(SecretText):
    """An address of which only the scheme and the host are printed."""

    def _display(self) -> str:
        return shown_url(self.get_secret_value())


class Revealed(str):
    """A secret for a library that wants a plain text. A map or a dataclass that holds it prints it hidden."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text that is printed in its place."""
        return repr(HIDDEN)


def revealed(secret: SecretStr | None) -> Revealed | None:
    """Return a secret as the text that a library needs."""
    return None if secret is None else Revealed(secret.get_secret_value())


def shown_url(url: str) -> str:
    """Return the scheme, the host and the port of an address, and that there is more."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return HIDDEN
    if parts.scheme not in ("http", "https") or not host:
        return HIDDEN
    host = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return address if url in (address, address + "/") else f"{address}/{HIDDEN}"


def forms_of(secret: str) -> Iterator[str]:
    """Return the forms in which a service may say a secret back: as it is, decoded, and its parts."""
    yield secret
    yield unquote(secret)
    yield secret.removeprefix("whsec_")
    scheme, _, credentials = secret.partition(" ")
    if scheme.lower() == "basic":
        with suppress(ValueError):
            yield from b64decode(credentials).decode("utf-8", "replace").split(":", 1)
    with suppress(ValueError):
        parts = urlsplit(secret)
        if parts.username is not None:
            user, password = unquote(parts.username), unquote(parts.password or "")
            yield from (user, password, b64encode(f"{user}:{password}".encode()).decode())


def _reader_of(kind: type[SecretText]) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return kind(value) if isinstance(value, str) else value

    return BeforeValidator(read)


Secret = Annotated[SecretText, _reader_of(SecretText)]
"""A field that is never shown: a password, a key, a token."""

SecretAddress = Annotated[SecretUrl, _reader_of(SecretUrl)]
"""A field that shows its scheme and host only: an address that may carry a token."""


def holds_secrets(annotation: Any) -> bool:  # noqa: ANN401 - annotations have no common type
    """Return whether a value of a type is a secret or has one in it: a list, a map or a section with one."""
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(holds_secrets(field.annotation) for field in annotation.model_fields.values())
    return any(holds_secrets(one) for one in get_args(annotation))


def secrets_in(value: object) -> Iterator[SecretStr]:
    """Return every secret in a value: in its fields, lists and maps, however deep."""
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from secrets_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from secrets_in(one)
