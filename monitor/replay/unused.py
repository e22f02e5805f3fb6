"""What makes a replay useless: an agreement that measured nothing of the data, a file whose rows were all refused.

A replay that ends well although nothing was measured would be taken for "nothing was missed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.book import Book
    from monitor.core.facts.events import Event
    from monitor.replay.local import ReplayResult
    from monitor.replay.readers import Reading

_SHOWN: Final = 3
"""Values of an attribute that a finding names."""


def useless(result: ReplayResult, book: Book, events: Iterable[Event]) -> list[str]:
    """Return a sentence for each file of which nothing was taken, and for each agreement that measured nothing."""
    found = [] if result.reading is None else _refused(result.reading)
    measured = {one.series.agreement for one in result.whole}
    events = list(events)
    for agreement_id in sorted({one.id for one in book.agreements} - measured):
        versions = [one for one in book.agreements if one.id == agreement_id]
        found.append(f"agreement {agreement_id} {_why(versions, result, events)}")
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


def _why(versions: list[Agreement], result: ReplayResult, events: list[Event]) -> str:
    accepted = [one for one in versions if one.status != "draft"]
    if not accepted:
        return "is a draft: it binds nobody, so nothing is judged by it (accept it, or ask sla-monitor simulate)"
    first = min(accepted, key=lambda one: one.valid_from_ms)
    if result.events and first.valid_from_ms >= result.until_ms:
        return f"is not valid before {_day(first.valid_from_ms)}: the data ends on {_day(result.until_ms - 1)}"
    ended = [one.terminates_ms for one in accepted if one.terminates_ms is not None]
    if result.events and len(ended) == len(accepted) and max(ended) <= result.from_ms:
        return f"ended on {_day(max(ended))}: the data begins on {_day(result.from_ms)}"
    return f"measures nothing of the data{_mismatch(accepted[-1], events)}"


def _mismatch(agreement: Agreement, events: list[Event]) -> str:
    """Return what the agreement covers beside what the data has of it, or the kinds of subjects that it measures."""
    for name, allowed in agreement.covers.any_of:
        seen = Counter(str(one.fact.attributes[name]) for one in events if name in one.fact.attributes)
        if events and not seen.keys() & {str(one) for one in allowed}:
            values = ", ".join(value for value, _ in seen.most_common(_SHOWN)) or "none"
            return f": it covers {name} {', '.join(sorted(map(str, allowed)))}, the data has {name} {values}"
    kinds = {one.subject_kind for one in agreement.measures()}
    there = {one.subject for one in events}
    if events and kinds and not kinds & there:
        return f": it measures {', '.join(sorted(f'{one}s' for one in kinds))}, the data has {_plurals(there)}"
    return ""


def _plurals(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(f"{one}s" for one in kinds))


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
