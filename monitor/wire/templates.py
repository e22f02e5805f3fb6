"""Templates of ids in mappings: text with the names of columns in braces, ``{number}/{case:concept:name}``.

A name is all that stands between the braces, so it may hold colons, dots, brackets and spaces. ``{{`` and ``}}`` stand
for the braces themselves. ``{.type}`` is always the column of that name: in the template of an event's id ``{type}`` is
the event's own type, and likewise ``subject_id``, ``time_ms`` and ``sequence``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ID_PARTS: Final = frozenset({"subject_id", "type", "time_ms", "sequence"})
"""Names that stand for the event's own fields in the template of its id."""

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@lru_cache
def parts_of(template: str) -> tuple[tuple[str, str | None], ...]:
    """Return the parts of a template: each a literal text and the name behind it, or None behind the last literal.

    Raises:
        ValueError: a brace stands alone.
    """
    parts: list[tuple[str, str | None]] = []
    literal, end = "", 0
    for found in _TOKEN.finditer(template):
        literal += template[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
        elif found[1] is None:
            raise ValueError(f"a single {found[0]!r} at character {found.start() + 1}")
        else:
            parts.append((literal, found[1].strip()))
            literal = ""
    literal += template[end:]
    return (*parts, (literal, None)) if literal or not parts else tuple(parts)


def names_in(template: str) -> list[str]:
    """Return the names in a template, as they stand there.

    Raises:
        ValueError: a brace stands alone.
    """
    return [name for _, name in parts_of(template) if name is not None]


def columns_in(template: str, own: frozenset[str] = frozenset()) -> set[str]:
    """Return the columns that a template reads; names in ``own`` stand for something else."""
    return {column_of(name) for name in names_in(template) if name not in own}


def column_of(name: str) -> str:
    """Return the column that a name in braces stands for."""
    return name.removeprefix(".")
