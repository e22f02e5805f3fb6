"""Finds levels that are equally specific and bind the same subjects, and which of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Filter


class Overlap(NamedTuple):
    """Two editions that bind the same subjects at the same time; ``shared`` are the values that both name."""

    winner: Agreement
    loser: Agreement
    shared: dict[str, frozenset[str]]


def overlaps(agreements: Iterable[Agreement]) -> list[Overlap]:
    """Return the equally specific levels of a family that bind the same subjects, each pair of versions once.

    The one whose id comes first wins, as in `monitor.core.agreements.book.Book.in_force`.
    """
    families: dict[tuple[str, int], list[Agreement]] = {}
    for one in sorted(agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
        if one.lineage and one.status != "draft":
            families.setdefault((one.lineage[0], len(one.lineage)), []).append(one)
    found: dict[tuple[str, int, str, int], Overlap] = {}
    for family in families.values():
        until_ms = [_until_ms(one, family) for one in family]
        for place, winner in enumerate(family):
            for other, loser in enumerate(family[place + 1 :], place + 1):
                if loser.id == winner.id:
                    continue
                apart = _is_over(until_ms[place], loser.valid_from_ms) or _is_over(
                    until_ms[other], winner.valid_from_ms
                )
                shared = _shared(winner.covers, loser.covers)
                if not apart and shared is not None:
                    found.setdefault(
                        (winner.id, winner.version, loser.id, loser.version), Overlap(winner, loser, shared)
                    )
    return list(found.values())


def _until_ms(one: Agreement, family: list[Agreement]) -> int | None:
    """Return when the text of an edition ceases to hold: at the next edition, or at the end of the agreement."""
    ends = [other.valid_from_ms for other in family if other.id == one.id and other.valid_from_ms > one.valid_from_ms]
    if one.terminates_ms is not None:
        ends.append(one.terminates_ms)
    return min(ends, default=None)


def _is_over(until_ms: int | None, at_ms: int) -> bool:
    return until_ms is not None and until_ms <= at_ms


def _shared(one: Filter, other: Filter) -> dict[str, frozenset[str]] | None:
    """Return the values that both filters allow, by attribute; None if no subject matches both."""
    shared: dict[str, frozenset[str]] = {}
    for name, values in (*one.any_of, *other.any_of):
        shared[name] = shared.get(name, values) & values
    return shared if all(shared.values()) else None
