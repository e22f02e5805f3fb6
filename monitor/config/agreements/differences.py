"""The differences between two versions of an agreement, in the words of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from monitor.wire.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES: Final = ("id", "role", "name", "breach", "objective")
"""Entries of lists are told apart by the first of these keys that all of them have with different values."""


def describe_difference(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """Return one line for each thing that differs: ``clocks[resolution].targets.P1: 4h → 2h``.

    Without an old document the one line describes the new one; of equal documents there is none. Order in maps, and of
    entries that have an id, is no difference.
    """
    if old is None:
        measures = sum(len(new.get(section, ())) for section in ("clocks", "calls", "outages"))
        objectives = len(new.get("objectives", ()))
        head = f"new: {new.get('name')}, {new.get('status')}, valid from {new.get('valid_from')}"
        return [f"{head}, {plural(measures, 'measure')}, {plural(objectives, 'objective')}"]
    return list(_differences("", old, new))


def _differences(path: str, old: object, new: object) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _maps(path, old, new)
        return
    if isinstance(old, list) and isinstance(new, list):
        name = _name_of(old, new)
        if name is not None:
            yield from _maps(path, {_Entry(one[name]): one for one in old}, {_Entry(one[name]): one for one in new})
            return
        if len(old) == len(new) and not any(list(_differences("", *pair)) for pair in zip(old, new, strict=True)):
            return
        yield f"{path}: {_shown(old)} → {_shown(new)}"  # told whole
    # true equals 1 in Python, not in a file
    elif old != new or type(old) is not type(new):
        yield f"{path}: {_shown(old)} → {_shown(new)}"


class _Entry(str):
    """The name of a list's entry: shown in brackets."""

    __slots__ = ()


def _maps(path: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for key in (*old, *(key for key in new if key not in old)):
        inner = f"{path}[{key}]" if isinstance(key, _Entry) else f"{path}.{key}" if path else key
        if key not in new:
            yield f"{inner}: removed (was {_shown(old[key])})"
        elif key not in old:
            yield f"{inner}: added: {_shown(new[key])}"
        else:
            yield from _differences(inner, old[key], new[key])


def _name_of(*lists: list[Any]) -> str | None:
    for name in _NAMES:
        if all(
            all(isinstance(one, dict) and isinstance(one.get(name), str) for one in entries)
            and len({one[name] for one in entries}) == len(entries)
            for entries in lists
        ):
            return name
    return None


def _shown(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(inner) for inner in value) + "]"
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
    return str(value)
