"""Work in pieces: generators that pause where others may run, and return their result at the end.

The stream layer drives them and measures the time between two pauses.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, TypeVar

T = TypeVar("T")

Pieces = Generator[None, None, T]

LOT: Final = 2_048
"""The number of items of a long list that are processed without a pause: at most a few milliseconds."""


def at_once(pieces: Pieces[T]) -> T:
    """Run work to its end without a pause, and return its result."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made


def ready(made: T) -> Pieces[T]:
    """Return a result that exists already, as work without any pieces."""
    yield from ()
    return made


def lots(items: Iterable[T], size: int = LOT) -> Iterator[list[T]]:
    """Yield items in lists of at most ``size``, so that work on many of them can pause between two lists."""
    if isinstance(items, list) and len(items) <= size:  # most lists are short: they are not copied
        if items:
            yield items
        return
    rest = iter(items)
    while lot := list(islice(rest, size)):
        yield lot


def gathering(items: Iterable[T]) -> Pieces[list[T]]:
    """Return items in a list, in pieces, because the iterable may be slow to yield them."""
    found: list[T] = []
    for lot in lots(items):
        if len(found) + len(lot) >= LOT:  # a short list is no reason to pause
            yield
        found += lot
    return found


def choosing(items: Iterable[T], is_wanted: Callable[[T], bool]) -> Pieces[list[T]]:
    """Return the wanted items, in pieces. It pauses by the items that it tests, also if few of them are wanted."""
    found: list[T] = []
    tested = 0
    for lot in lots(items):
        found += filter(is_wanted, lot)
        tested += len(lot)
        if tested >= LOT:  # a short list is no reason to pause
            yield
    return found


def sorting(items: Iterable[Any]) -> Pieces[list[Any]]:
    """Return items in their order, in pieces."""
    runs = []
    for lot in lots(items):
        runs.append(sorted(lot))
        yield
    while len(runs) > 1:
        pairs, runs = runs, []
        for place in range(0, len(pairs), 2):
            # `sorted` merges two runs that are each in order in a single pass.
            runs.append(sorted(chain(*pairs[place : place + 2])))
            yield
    return runs[0] if runs else []
