"""Work in pieces: generators that pause where others may run, and return what they have made.

Who measures the time between two pauses is outside of the core.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

Pieces = Generator[None, None, T]

LOT: Final = 4_096
"""So many items of a long list are gone through without a pause: at most a few milliseconds."""


def at_once(pieces: Pieces[T]) -> T:
    """Return what work makes, without any pause."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made


def lots(items: Iterable[T], size: int = LOT) -> Iterator[list[T]]:
    """Yield items in lists of at most so many, so that work on many of them can pause between two lists."""
    rest = iter(items)
    while lot := list(islice(rest, size)):
        yield lot
