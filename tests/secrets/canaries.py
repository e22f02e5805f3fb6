"""Canaries: random texts in every field that may hold one. Wherever one shows, a secret would have shown.

Kinds and fields are taken from the models of the settings, so a new field is covered by being there.
"""

from __future__ import annotations

import base64
import secrets
import types
import typing
from collections.abc import Iterator
from itertools import count
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from monitor.config.reading.secrets import SecretUrl, holds_secrets
from monitor.config.receivers import registry

KINDS: dict[str, type[BaseModel]] = {name: kind.settings for name, kind in registry.KINDS.items()}
"""The model of each kind of receiver."""


class Canaries:
    """Random texts, the variables that hold them, and a look whether one shows."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self._forms: list[str] = []
        self._numbers = count(1)

    def text(self) -> str:
        """Return a new text of 32 letters and digits that must not show, nor may its usual encodings."""
        text = secrets.token_hex(16)
        self.hide(text)
        return text

    def hide(self, text: str) -> str:
        """Have a text not show, nor its encodings."""
        # Of base64 the inner part: its ends depend on what stands beside the text.
        encoded = (base64.b64encode(f"{' ' * shift}{text}".encode()).decode()[4:-4] for shift in range(3))
        self._forms += [text, text[:12], text.upper(), quote(text, safe=""), *encoded]
        return text

    def variable(self, text: str) -> str:
        """Return ``${…}`` for a text that stands in the environment."""
        name = f"CANARY_{next(self._numbers)}"
        self.environment[name] = text
        return f"${{{name}}}"

    def shown_in(self, text: str) -> bool:
        """Return whether one shows in a text."""
        return any(form in text for form in self._forms)

    def absent_from(self, text: str, where: str) -> None:
        """Fail where one shows in a text."""
        found = [form for form in self._forms if form in text]
        assert not found, f"{where} shows {found[0]}: …{text[max(0, text.index(found[0]) - 200) :][:400]}…"


def candidates(annotation: Any, canaries: Canaries, address: str) -> Iterator[Any]:
    """Return values with a canary in them that may fit a type, resolved; the first that fits is to be taken."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        for one in candidates(arguments[0], canaries, address):
            if fits(annotation, one):
                yield one
    elif origin in (typing.Union, types.UnionType):
        for one in arguments:
            yield from candidates(one, canaries, address)
    elif origin is list:
        yield from ([one] for one in candidates(arguments[0], canaries, address))
    elif origin is dict:
        yield from ({"X_Canary": one} for one in candidates(arguments[1], canaries, address))
        yield from ({"X-Canary": one} for one in candidates(arguments[1], canaries, address))
    elif isinstance(annotation, type):
        yield from _texts(annotation, canaries, address)


def _texts(kind: type, canaries: Canaries, address: str) -> Iterator[str]:
    if issubclass(kind, SecretUrl):
        yield f"{address}/{canaries.text()}?token={canaries.text()}"
        yield f"{address}/{canaries.text()}"
        # A proxy.
        yield f"http://{canaries.text()}:{canaries.text()}@{address.partition('://')[2]}"
    elif issubclass(kind, SecretStr):
        yield canaries.text()
        yield "whsec_" + canaries.hide(base64.b64encode(secrets.token_bytes(33)).decode())
    elif kind is str:
        yield canaries.text()


def fits(annotation: Any, value: Any) -> bool:
    """Return whether a value is one of a type."""
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


def receiver(kind: str, canaries: Canaries, address: str, *, secrets_only: bool) -> dict[str, Any]:
    """Return the settings of a receiver whose fields all come out of variables that hold canaries."""
    written: dict[str, Any] = {"kind": kind}
    for name, field in KINDS[kind].model_fields.items():
        is_secret = holds_secrets(field.annotation)
        if name == "kind" or (secrets_only and not is_secret and not field.is_required() and name != "channel"):
            continue
        annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        value = next((one for one in candidates(annotation, canaries, address) if fits(annotation, one)), None)
        if value is None:
            assert not is_secret, f"no canary fits {kind}.{name}: teach the law what such a secret looks like"
        else:
            written[field.alias or name] = _through_variables(value, canaries)
    return written


def _through_variables(value: Any, canaries: Canaries) -> Any:
    if isinstance(value, dict):
        return {key: _through_variables(one, canaries) for key, one in value.items()}
    if isinstance(value, list):
        return [_through_variables(one, canaries) for one in value]
    return canaries.variable(value)
