"""Texts of a bounded length. Lengths are counted in UTF-16 units: no service counts fewer for the same text."""

from __future__ import annotations

import hashlib
from typing import Final

from monitor.wire.visible import visible

_BLANKS: Final = dict.fromkeys(range(0x09, 0x0E), " ")
"""Ends of lines and tabs."""
_DIGITS: Final = 16


def width(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> str:
    """Return a text as one visible line of at most ``limit`` units; what was cut off is told by ``…``."""
    line = visible(text[: limit + 1].translate(_BLANKS))
    return line if width(line) <= limit else f"{_first(line, limit - 1)}…"


def cut_apart(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` units that identifies: two that differ still differ after being cut."""
    if width(text) <= limit:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=_DIGITS // 2).hexdigest()
    return f"{_first(text, limit - _DIGITS - 1)}~{digest}"


def _first(text: str, limit: int) -> str:
    # Half a pair of surrogates at the end is left out.
    return text[:limit].encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
