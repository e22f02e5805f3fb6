"""Multi-level agreements: corporate → customer → service (domain.md §1).

For each part of an agreement the most specific level that names it wins. A lower level inherits from the text of the
upper level that holds at each instant. So an amendment of the upper level, or its end, makes a new *edition* of each
version below it, from that instant on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement, Origin

RANKS: Final = {"corporate": 0, "customer": 1, "service": 2}
"""The levels, from the uppermost one down."""


class Edition(NamedTuple):
    """The texts that make up a version from an instant on: its own and those above it, the uppermost first."""

    own: Agreement
    above: tuple[Agreement, ...]
    from_ms: int


def editions(agreements: Iterable[Agreement]) -> list[Edition]:
    """Return the editions of all versions, with the texts as written, in the order of their instants.

    An upper level that is unknown, a draft, not yet in force or over adds no text. Levels that refer to each other in a
    circle are followed until the first one is met again.
    """
    versions: dict[str, list[Agreement]] = {}
    for one in sorted(agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
        versions.setdefault(one.id, []).append(one)
    return [edition for of_one in versions.values() for own in of_one for edition in _editions(own, versions)]


def most_specific(found: Sequence[Agreement]) -> list[Agreement]:
    """Return the most specific agreement of each family, so that no promise binds twice.

    If several of a family are equally specific, the first one binds.
    """
    best: dict[str, Agreement] = {}
    for one in found:
        family = _family(one)
        if family not in best or len(one.lineage) > len(best[family].lineage):
            best[family] = one
    return [one for one in found if best[_family(one)] is one]


def in_force(agreements: Iterable[Agreement], now_ms: int) -> list[Agreement]:
    """Return the version of each agreement that binds at an instant: no draft, and not over."""
    found: dict[str, Agreement] = {}
    for one in sorted(agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
        if one.status != "draft" and one.valid_from_ms <= now_ms:
            found[one.id] = one
    return [one for one in found.values() if one.terminates_ms is None or now_ms < one.terminates_ms]


def parts_by_origin(one: Agreement) -> dict[Origin, int]:
    """Return how many measures, targets and objectives of an agreement come from each level."""
    paths: list[tuple[str, ...]] = [
        ("clocks", rule.id, "targets", priority) for rule in one.clocks for priority in rule.budgets
    ]
    paths += [("clocks", rule.id) for rule in one.clocks]
    paths += [("calls", rule.id) for rule in one.calls] + [("outages", rule.id) for rule in one.outages]
    paths += [("leads", rule.id) for rule in one.leads]
    paths += [("objectives", objective.id) for objective in one.objectives]
    found: dict[Origin, int] = {}
    for path in paths:
        origin = one.origin(*path)
        found[origin] = found.get(origin, 0) + 1
    return found


def _family(one: Agreement) -> str:
    return one.lineage[0] if one.lineage else one.id


def _editions(own: Agreement, versions: Mapping[str, list[Agreement]]) -> Iterator[Edition]:
    instants = [own.valid_from_ms]
    if own.status != "draft":
        later = [one.valid_from_ms for one in versions[own.id] if one.status != "draft"]
        until_ms = min((at_ms for at_ms in later if at_ms > own.valid_from_ms), default=None)
        instants += sorted(
            at_ms
            for at_ms in _changes_above(own, versions)
            if own.valid_from_ms < at_ms and (until_ms is None or at_ms < until_ms)
        )
    before = None
    for at_ms in instants:
        above = _above(own, at_ms, versions)
        if above != before:
            yield Edition(own, above, at_ms)
        before = above


def _changes_above(own: Agreement, versions: Mapping[str, list[Agreement]]) -> set[int]:
    """Return the instants at which a level that may be above a version begins, is amended or ends."""
    found: set[int] = set()
    seen, waiting = {own.id}, [own.under]
    while waiting:
        upper_id = waiting.pop()
        if upper_id in seen:
            continue
        seen.add(upper_id)
        for one in versions.get(upper_id, ()):
            waiting.append(one.under)
            found.add(one.valid_from_ms)
            if one.terminates_ms is not None:
                found.add(one.terminates_ms)
    return found


def _above(own: Agreement, at_ms: int, versions: Mapping[str, list[Agreement]]) -> tuple[Agreement, ...]:
    """Return the texts above a version that hold at an instant, the uppermost first."""
    found: list[Agreement] = []
    seen, under = {own.id}, own.under
    while under and under not in seen:
        seen.add(under)
        binding = [one for one in versions.get(under, ()) if one.status != "draft" and one.valid_from_ms <= at_ms]
        if not binding or (binding[-1].terminates_ms is not None and binding[-1].terminates_ms <= at_ms):
            break
        found.insert(0, binding[-1])
        under = binding[-1].under
    return tuple(found)
