"""Documents with mistakes in their shape: what is left without the wrong parts, so that one check tells all mistakes.

A part that violates the shape is taken out, and what stands beside it is judged as ever. Where a part cannot do without
what is missing it is taken out, too. Mistakes about the rest are told where they stand in the document as it was
written; mistakes that only the taking out has made are not told.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from monitor.config.reading.shape import Violation, check
from monitor.config.reading.yaml_file import YamlDocument
from monitor.errors import Mistake

T = TypeVar("T", bound=BaseModel)
Path = tuple[str | int, ...]
StandIns = Mapping[str, object]
"""What stands in for the uppermost parts that a document must have: none of it makes other parts wrong."""

_ROUNDS: Final = 50
_IDS: Final = frozenset({"id", "role", "name"})
"""The keys under which parts of a document have the names by which others refer to them."""
_ANY: Final = ""
"""Stands for every name: one that is wrong itself may be the one that another part means."""


@dataclass(frozen=True, slots=True)
class _Rest(YamlDocument):
    """What is left of a document; mistakes are told where they stand in the whole."""

    whole: YamlDocument = field(default_factory=lambda: YamlDocument("", None))
    kept: dict[Path, list[int]] = field(default_factory=dict)
    """By the path of a list in the whole: the places of the entries that are left."""

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line of a part of the rest."""
        return self.whole.line_of(self.path_in_whole(path))

    def mistake(self, path: Sequence[str | int], message: str, hint: str = "") -> Mistake:
        """Return a mistake at a path of the rest."""
        return self.whole.mistake(self.path_in_whole(path), message, hint)

    def path_in_whole(self, path: Sequence[str | int]) -> Path:
        """Return where a part of the rest stood."""
        found: Path = ()
        for part in path:
            places = self.kept.get(found) if isinstance(part, int) else None
            found += (places[part] if places is not None and isinstance(part, int) and part < len(places) else part,)
        return found


def mistakes_beside(
    model: type[T],
    document: YamlDocument,
    violations: Sequence[Violation],
    stand_ins: StandIns,
    build: Callable[[T, YamlDocument, list[Mistake]], object],
) -> list[Mistake]:
    """Return further mistakes of a document that violates its shape.

    Args:
        model: the shape.
        document: the document as it was written.
        violations: what is wrong with its shape.
        stand_ins: replacements for the parts that every document must have.
        build: adds the mistakes of a document that has the shape.

    Returns:
        The mistakes that have nothing to do with the violations.
    """
    rest = _Rest(document.file, copy.deepcopy(document.data), whole=document)
    names: set[str] = set()
    found: Sequence[Violation] = violations
    shape: T | None = None
    for _ in range(_ROUNDS):
        # Later entries of a list first: taking one out moves those behind it.
        gone: set[Path] = set()
        for violation in sorted(found, key=lambda one: _last_first(one.path), reverse=True):
            if not _take_out(rest, violation, stand_ins, names, gone):
                return []
        shape, found = check(model, rest)
        if shape is not None:
            break
    if shape is None:
        return []
    told: list[Mistake] = []
    build(shape, rest, told)
    places = [violation.mistake.path for violation in violations]
    return [
        one
        for one in told
        if one.path
        and not any(_related(one.path, place) for place in places)
        and not any(_needs(f"{one.message} ({one.hint}", name) for name in names)
    ]


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple([(part, "") if isinstance(part, int) else (-1, part) for part in path])


def _take_out(rest: _Rest, violation: Violation, stand_ins: StandIns, names: set[str], gone: set[Path]) -> bool:
    """Take out the part that a violation is about, or the one around it; return whether that was possible.

    ``gone`` are the parts that have been taken out since the places of entries were looked up.
    """
    # Another key may have been meant: what needs that one is no mistake of its own.
    meant = re.match(r"did you mean '(.+)'\?$", violation.mistake.hint)
    if meant:
        names.add(meant[1])
    path = violation.path
    if path and path[-1] in _IDS:
        names.add(_ANY)
    while path:
        if any(path[: length + 1] in gone for length in range(len(path))):
            return True
        parent = _at(rest.data, path[:-1])
        last = path[-1]
        if len(path) == 1 and last in stand_ins and isinstance(parent, dict):
            _remember(names, last, parent.get(last))
            gone.add(path)
            parent[last] = copy.deepcopy(stand_ins[str(last)])
            return True
        if isinstance(parent, dict) and last in parent:
            _remember(names, last, parent.pop(last))
            gone.add(path)
            return True
        if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
            whole = rest.path_in_whole(path[:-1])
            rest.kept.setdefault(whole, list(range(len(parent)))).pop(last)
            _remember(names, last, parent.pop(last))
            gone.add(path)
            return True
        path = path[:-1]
    return False


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - plain data
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _remember(names: set[str], key: str | int, value: object) -> None:
    """Remember the names by which other parts may refer to what is taken out."""
    if isinstance(key, str):
        names.add(key)
    if isinstance(value, dict):
        for inner, its in value.items():
            if isinstance(its, dict | list):
                _remember(names, inner, its)
            elif inner in _IDS:
                names.add(str(its))
    elif isinstance(value, list):
        for one in value:
            _remember(names, 0, one)


def _needs(text: str, name: str) -> bool:
    """Return whether a mistake may be about something that was taken out: it names it, or asks for it."""
    if name == _ANY:
        return text.startswith("there is no ")
    return f"'{name}'" in text or f"needs {name}" in text or f"(add {name}:" in text


def _related(path: str, other: str) -> bool:
    shorter, longer = sorted((path, other), key=len)
    return not shorter or longer == shorter or longer.startswith((f"{shorter}.", f"{shorter}["))
