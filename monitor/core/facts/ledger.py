"""The ledger of a subject: its facts in the order in which they happened, each once (domain.md §2)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.facts.events import Fact, Value

MAX_FACTS: Final = 1_000
"""The most facts of a ledger: its row is read and written whole with each batch that touches it."""

MAX_CHARACTERS: Final = 1 << 20
"""The most characters of a ledger, checked at every `_STEP` facts: at 4 bytes each the row still fits a record."""
_STEP: Final = 32


class Rejected(NamedTuple):
    """A fact that the ledger refuses, and the reason: ``id_reused`` or ``ledger_full``."""

    fact: Fact
    reason: str


def enter(facts: list[Fact], fact: Fact, by_id: dict[str, Fact] | None = None) -> int | Rejected | None:
    """Put a fact in its place in the ledger and return that place; None for a repeat, which changes nothing.

    A known id with another body is rejected, and so is any fact once the ledger is full. ``by_id`` holds the same facts
    by their ids and takes the new one. Without it the whole ledger is searched, which is faster for a few facts only.
    """
    for known in facts if by_id is None else (by_id[fact.id],) if fact.id in by_id else ():
        if known.id == fact.id:
            return None if known == fact else Rejected(fact, "id_reused")
    if not is_roomy(facts):
        return Rejected(fact, "ledger_full")
    if by_id is not None:
        by_id[fact.id] = fact
    if not facts or fact[:3] > facts[-1][:3]:
        facts.append(fact)
        return len(facts) - 1
    place = bisect_left(facts, fact[:3], key=lambda one: one[:3])
    facts.insert(place, fact)
    return place


def is_roomy(facts: list[Fact]) -> bool:
    """Return whether the ledger takes another fact."""
    # The text is added up only at every 32nd fact: the facts in between cannot be long enough to matter.
    return len(facts) < MAX_FACTS and (len(facts) % _STEP != 0 or _characters(facts) <= MAX_CHARACTERS)


def _characters(facts: Iterable[Fact]) -> int:
    return sum(
        len(fact.id) + sum(len(one) for one in fact.attributes.values() if isinstance(one, str)) for fact in facts
    )


def attributes_of(facts: Iterable[Fact]) -> dict[str, Value]:
    """Return the subject's attributes, each with the newest value that a fact brought."""
    merged: dict[str, Value] = {}
    for fact in facts:
        merged.update(fact.attributes)
    return merged
