"""The ledger of a subject: its facts in the order in which they happened, each once (domain.md §2)."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.events import Fact, Value

MAX_FACTS: Final = 1_000
"""A ledger takes no more facts than this: a row is read and written whole with each batch that touches it."""


class Rejected(NamedTuple):
    """A fact that the ledger does not take, and why: ``id_reused`` or ``ledger_full``."""

    fact: Fact
    reason: str


class Entry(NamedTuple):
    """What became of the new facts: the appended ones (newer than all before), and whether any went in between."""

    facts: list[Fact]
    appended: list[Fact]
    inserted: list[Fact]
    repeats: int
    rejected: list[Rejected]


def _order(fact: Fact) -> tuple[int, int, str]:
    return fact[:3]


def enter(facts: list[Fact], new: Iterable[Fact]) -> Entry:
    """Return the ledger with new facts in their places. The list that was passed is not changed.

    A fact with a known id and the same body is a repeat and changes nothing; with another body it is rejected.
    """
    ledger = facts.copy()
    appended: list[Fact] = []
    inserted: list[Fact] = []
    rejected: list[Rejected] = []
    repeats = 0
    known = {fact.id: fact for fact in ledger}
    for fact in new:
        same = known.get(fact.id)
        if same is not None:
            if same == fact:
                repeats += 1
            else:
                rejected.append(Rejected(fact, "id_reused"))
            continue
        if len(ledger) >= MAX_FACTS:
            rejected.append(Rejected(fact, "ledger_full"))
            continue
        known[fact.id] = fact
        if not ledger or fact[:3] > ledger[-1][:3]:
            ledger.append(fact)
            appended.append(fact)
        else:
            insort(ledger, fact, key=_order)
            inserted.append(fact)
    return Entry(ledger, appended, inserted, repeats, rejected)


def attributes_of(facts: Iterable[Fact]) -> dict[str, Value]:
    """Return the subject's attributes: of each, the newest value that a fact brought."""
    merged: dict[str, Value] = {}
    for fact in facts:
        merged.update(fact.attributes)
    return merged
