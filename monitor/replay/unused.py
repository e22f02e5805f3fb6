"""What makes a replay useless: an agreement that measured nothing of the data, a file whose rows were all refused.

A replay that ends well although nothing was measured would be taken for "nothing was missed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from monitor.core.time.periods import period_date

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.book import Book
    from monitor.core.facts.events import Event, Subject
    from monitor.replay.local import ReplayResult
    from monitor.replay.readers import Reading

_SHOWN: Final = 3
"""Values of an attribute that a finding names."""


class Seen:
    """The kinds of subjects and the values of attributes in the events of a replay that agreements ask for.

    It is taken before the replay, which may drop the events as it goes.
    """

    def __init__(self) -> None:
        self.kinds: set[Subject] = set()
        self.values: dict[str, Counter[str]] = {}
        """By the attributes that an agreement covers: how many events have each value."""

    def take(self, events: Sequence[Event], book: Book) -> None:
        """Take note of events."""
        self.kinds = {event.subject for event in events}
        for name in {name for one in book.agreements for name, _ in one.covers.any_of}:
            found = [event.fact.attributes.get(name) for event in events]
            self.values[name] = Counter([str(value) for value in found if value is not None])


def useless(result: ReplayResult, book: Book, seen: Seen) -> list[str]:
    """Return a sentence for each file of which nothing was taken, and for each agreement that measured nothing."""
    found = [] if result.reading is None else _refused(result.reading)
    measured = {one.series.agreement for one in result.whole}
    for agreement_id in sorted({one.id for one in book.agreements} - measured):
        versions = [one for one in book.agreements if one.id == agreement_id]
        found.append(f"agreement {agreement_id} {_why(versions, result, seen)}")
    return found


def _refused(reading: Reading) -> list[str]:
    refused = Counter(one.file for one in reading.rejected)
    found = []
    for name, rows in reading.of_files.items():
        if rows and refused[name] >= rows:
            reasons = Counter(one.reason for one in reading.rejected if one.file == name)
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
            found.append(f"every row of {name} was refused ({told}): mend the mapping, or the file")
    return found


def _why(versions: list[Agreement], result: ReplayResult, seen: Seen) -> str:
    accepted = [one for one in versions if one.status != "draft"]
    if not accepted:
        return "is a draft: it binds nobody, so nothing is judged by it (accept it, or ask sla-monitor simulate)"
    first = min(accepted, key=lambda one: one.valid_from_ms)
    if result.events and first.valid_from_ms >= result.until_ms:
        valid_from, last = (period_date(first.zone, one) for one in (first.valid_from_ms, result.until_ms - 1))
        return f"is not valid before {valid_from}: the data ends on {last}"
    ended = [one.terminates_ms for one in accepted if one.terminates_ms is not None]
    if result.events and len(ended) == len(accepted) and max(ended) <= result.from_ms:
        end, begin = (period_date(first.zone, one) for one in (max(ended), result.from_ms))
        return f"ended on {end}: the data begins on {begin}"
    return f"measures nothing of the data{_mismatch(accepted[-1], seen)}"


def _mismatch(agreement: Agreement, seen: Seen) -> str:
    """Return what the agreement covers beside what the data has of it, or the kinds of subjects that it measures."""
    for name, allowed in agreement.covers.any_of:
        values = seen.values[name]
        if seen.kinds and not values.keys() & {str(one) for one in allowed}:
            told = ", ".join(value for value, _ in values.most_common(_SHOWN)) or "none"
            return f": it covers {name} {', '.join(sorted(map(str, allowed)))}, the data has {name} {told}"
    kinds = {one.subject_kind for one in agreement.measures()}
    if seen.kinds and kinds and not kinds & seen.kinds:
        return f": it measures {', '.join(sorted(f'{one}s' for one in kinds))}, the data has {_plurals(seen.kinds)}"
    return ""


def _plurals(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(f"{one}s" for one in kinds))
