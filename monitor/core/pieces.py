"""Work in pieces: generators that pause where others may run, and return what they have made.

Who measures the time between two pauses is outside of the core.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Pieces = Generator[None, None, T]


def at_once(pieces: Pieces[T]) -> T:
    """Return what work makes, without any pause."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made
