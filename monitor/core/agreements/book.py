"""The book: all versions of all agreements that a worker knows, looked up by instant and by subject."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.levels import most_specific
from monitor.core.facts.events import Value
from monitor.core.time.spans import NEVER_MS

_valid_from_ms = attrgetter("valid_from_ms")


@dataclass(slots=True)
class Book:
    """All versions of all agreements that a worker knows.

    ``stamp`` differs whenever the content does: rows that were folded under another stamp are folded again.
    """

    agreements: tuple[Agreement, ...] = ()
    stamp: int = 0
    deciding: frozenset[str] = field(init=False, default=frozenset({"priority"}))
    """The attributes that decide which promises hold for a subject, or in which series it counts."""
    _versions: dict[str, list[Agreement]] = field(init=False, default_factory=dict, repr=False)
    _accepted: dict[str, list[Agreement]] = field(init=False, default_factory=dict, repr=False)
    """The versions of each agreement without its drafts, the newest first."""
    _editions: dict[tuple[str, int], list[Agreement]] = field(init=False, default_factory=dict, repr=False)
    """By agreement and number: the editions of a version in the order of their instants."""
    _by_customer: dict[str, list[str]] = field(init=False, default_factory=dict, repr=False)
    _for_all: list[str] = field(init=False, default_factory=list, repr=False)
    leveled: frozenset[str] = field(init=False, default=frozenset())
    """The agreements with levels above them: one version may have several editions."""
    requires: frozenset[str] = field(init=False, default=frozenset())
    """The fields that any agreement requires of a report."""
    counted: frozenset[str] = field(init=False, default=frozenset())
    """The kinds of measures that any agreement has, beside clocks: the subjects of the same names are counted."""
    _supporting: dict[str, tuple[Agreement, ...]] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for agreement in sorted(self.agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
            self._versions.setdefault(agreement.id, []).append(agreement)
            self._editions.setdefault((agreement.id, agreement.version), []).append(agreement)
            measures = agreement.measures()
            filters = (agreement.covers, *(measure.where for measure in measures))
            self.deciding |= {name for one in filters for name, _ in one.any_of}
            self.deciding |= {name for measure in measures for name in measure.by}
            self.requires |= frozenset(agreement.report.required)
            self.counted |= {measure.kind for measure in measures}
            if agreement.lineage:
                self.leveled |= {agreement.id}
            for support in agreement.supports:
                self._supporting[support.agreement] = (*self._supporting.get(support.agreement, ()), agreement)
        for agreement_id, versions in self._versions.items():
            self._accepted[agreement_id] = [one for one in reversed(versions) if one.status != "draft"]
            # Indexed by customer, because most agreements of a large book are with one customer each.
            customers = [dict(one.covers.any_of).get("customer") for one in versions]
            if all(customers):
                for customer in sorted(set().union(*(names for names in customers if names))):
                    self._by_customer.setdefault(customer, []).append(agreement_id)
            else:
                self._for_all.append(agreement_id)

    @property
    def counts_tickets(self) -> bool:
        """Whether tickets may count for more than their clocks: any are counted, or reports must have fields."""
        return bool(self.requires) or "ticket" in self.counted

    def weighing(self) -> dict[str, frozenset[str] | None]:
        """Return the attributes of a ticket on which it depends what it counts for, its clocks included.

        Each with its values that matter; None: any may. A change from one of the others to another of them changes
        nothing: before it and after it, whatever names the attribute matches the ticket as little.
        """
        any_value = {"priority", *self.requires}
        if "ticket" in self.counted:
            any_value.add("team")  # it is handed over from the team that had it
        values: dict[str, set[str]] = {name: set() for name in self.deciding}
        for agreement in self.agreements:
            for measure in agreement.measures():
                if measure.subject_kind != "ticket":
                    continue
                named = [*agreement.covers.any_of, *measure.where.any_of]
                for name, some in named:
                    values.setdefault(name, set()).update(some)
                any_value.update(set(measure.by).difference(name for name, _ in named))
            for name, some in agreement.covers.any_of:
                values.setdefault(name, set()).update(some)
        found: dict[str, frozenset[str] | None] = {name: frozenset(some) for name, some in values.items()}
        return {**found, **dict.fromkeys(any_value)}

    def version(self, agreement_id: str, at_ms: int) -> Agreement | None:
        """Return the version whose text holds at an instant; None before the first version.

        A draft is returned only if no other version holds: an amendment that is not accepted yet changes nothing.
        """
        found = draft = None
        for agreement in self.versions(agreement_id):
            if agreement.valid_from_ms <= at_ms:
                if agreement.status == "draft":
                    draft = agreement
                else:
                    found = agreement
        return found or draft

    def exact(self, agreement_id: str, version: int, at_ms: int | None = None) -> Agreement | None:
        """Return a version by its number; if it has several editions by its upper levels, that of the instant."""
        # On the hot path: called for each fact of an agreement with levels.
        editions = self._editions.get((agreement_id, version))
        if editions is None:
            return None
        if len(editions) == 1 or at_ms is None:
            return editions[-1]
        return editions[max(0, bisect_right(editions, at_ms, key=_valid_from_ms) - 1)]

    def edition_span(self, agreement_id: str, version: int, at_ms: int) -> tuple[int, int]:
        """Return the stretch of time, from and to (ms), in which `exact` gives what it gives for an instant."""
        editions = self._editions.get((agreement_id, version), ())
        after = bisect_right(editions, at_ms, key=_valid_from_ms)
        from_ms = editions[after - 1].valid_from_ms if after > 1 else -NEVER_MS
        return from_ms, editions[max(1, after)].valid_from_ms if max(1, after) < len(editions) else NEVER_MS

    def supporting(self, agreement: Agreement) -> list[Agreement]:
        """Return every version of the agreements that support this one, or a level above it."""
        supported = (agreement.id, *agreement.lineage)
        return [one for supported_id in supported for one in self._supporting.get(supported_id, ())]

    def versions(self, agreement_id: str) -> Sequence[Agreement]:
        """Return all versions and editions of an agreement, drafts included, in the order in which they take effect."""
        return self._versions.get(agreement_id, ())

    def latest(self, agreement_id: str) -> Agreement | None:
        """Return the newest version."""
        versions = self.versions(agreement_id)
        return versions[-1] if versions else None

    def in_force(self, attributes: Mapping[str, Value], at_ms: int) -> list[Agreement]:
        """Return the agreements that bind for a subject with these attributes at an instant, ordered by id."""
        customer = attributes.get("customer")
        ids = self._for_all
        if isinstance(customer, str) and customer in self._by_customer:
            ids = sorted((*ids, *self._by_customer[customer]))
        found = []
        for agreement_id in ids:
            for agreement in self._accepted[agreement_id]:
                if agreement.valid_from_ms <= at_ms:
                    if (agreement.terminates_ms is None or at_ms < agreement.terminates_ms) and (
                        agreement.covers.matches(attributes)
                    ):
                        found.append(agreement)
                    break
        return most_specific(found) if self.leveled else found
