"""Patterns for texts of other people's records: ``*`` any characters, ``?`` one, ``[0-9]`` and ``[!x]`` one of a set.

They are those of file names (`fnmatch`), because their cost is bounded whatever the text is: the standard library
writes each ``*`` as an atomic group, which is tried once at each place and never again. A regular expression that a
person wrote may take for ever on a text that somebody else chose.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Final

MOST_CHARACTERS: Final = 200
"""A longer pattern is refused: cost grows with pattern times text."""


def pattern_of(text: str) -> re.Pattern[str]:
    """Return the compiled pattern; upper and lower case differ."""
    return re.compile(fnmatch.translate(text))
