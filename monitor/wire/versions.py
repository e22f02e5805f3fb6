"""Versions of the data that is written in msgpack: rows of the changelogs (`monitor.wire.rows`) and partials.

    1 byte: the version of the layout │ msgpack of the fields, as an array

Releases up to 0.1.0 wrote no version: the first byte is then that of msgpack's array (0x80 or more), and the layout has
version 0. Any change of a layout is a new version with an upgrade from the last one. Only a field that is added to the
end *with a default* needs no upgrade. It is a new version all the same, so that an older program refuses the row with a
clear error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from monitor.errors import StateError

Fields = list[Any]
"""The fields of a row as msgpack decodes them, before they have a type."""
Upgrade = Callable[[Fields], Fields]
"""Takes the fields of a row of one version and returns those of the next."""

MOST_VERSIONS: Final = 0x80
"""A first byte from this value on is that of a msgpack array: the row has no version."""

_Row = TypeVar("_Row")


class NewerError(StateError):
    """A newer release wrote the row: this program can neither read it nor skip it.

    ``version`` is the row's, ``known`` the newest one that this program reads.
    """

    def __init__(self, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"has version {version}, this program reads up to {known}: update all workers to the release that wrote it "
            "(an older one cannot take over its state)"
        )


def unchanged(fields: Fields) -> Fields:
    """Upgrade a row whose fields are those of the next version."""
    return fields


def without_own_version(version: int) -> Upgrade:
    """Return the upgrade of rows that began with a version of their own; only rows with this one can be upgraded."""

    def upgrade(fields: Fields) -> Fields:
        if not fields or fields[0] != version:
            raise StateError(f"has an old version of its own, {fields[:1]}, which can no longer be upgraded")
        return fields[1:]

    return upgrade


class Layout(Generic[_Row]):
    """The layout of rows of one type: the version that we write, and the upgrades that lead to it from older ones.

    The texts of its errors continue a sentence that begins with the name of the row: ``has version 7, …``.
    """

    def __init__(self, row: type[_Row], version: int, upgrades: Mapping[int, Upgrade]) -> None:
        if not 0 < version < MOST_VERSIONS or upgrades.keys() != set(range(min(upgrades, default=version), version)):
            raise ValueError(f"{row.__name__}: version {version} has upgrades from {sorted(upgrades)}")
        self.type = row
        self.version = version
        self.head = bytes([version])
        self.upgrades = upgrades
        decoder: msgspec.msgpack.Decoder[_Row] = msgspec.msgpack.Decoder(row)
        self._read = decoder.decode

    def decode(self, encoded: bytes, start: int = 0) -> _Row:
        """Return the row that the bytes from ``start`` on encode.

        Raises:
            NewerError: they are a version that this program does not know yet.
            StateError: they are no such row.
        """
        if len(encoded) > start and encoded[start] == self.version:
            try:
                return self._read(encoded[start + 1 :])
            except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
                raise StateError(f"is no {self.type.__name__}: {error}") from error
        body = encoded[start:]
        if body and body[0] < MOST_VERSIONS:
            return self._upgraded(body[0], body[1:])
        return self._upgraded(0, body)

    def _upgraded(self, version: int, body: bytes) -> _Row:
        try:
            fields: Any = msgspec.msgpack.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError, TypeError) as error:
            raise StateError(f"is damaged: {error}") from error
        if not isinstance(fields, list):
            raise StateError(f"is no {self.type.__name__}: it is a {type(fields).__name__}")
        if version > self.version:  # text cannot get here: after its first byte no array follows
            raise NewerError(version, self.version)
        if version not in self.upgrades:
            raise StateError(
                f"has version {version}, which can no longer be upgraded to {self.version}: run a release in between "
                "first"
            )
        try:
            for step in range(version, self.version):
                fields = self.upgrades[step](fields)
            return msgspec.convert(fields, self.type)
        except (msgspec.ValidationError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise StateError(f"is no {self.type.__name__} of version {version}: {error}") from error
