"""Whose time the missed clocks took: their records, from the state that the workers have committed.

The rows of subjects hold it, no announcement does. All of a changelog is read for them, so only those of the kinds of
subjects with missed clocks are, once a report's agreement and period are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from monitor.core.alerts.alert import OF_SERIES
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.errors import BrokerError
from monitor.read_model.subjects import newest_rows
from monitor.replay.records import ClockRecord, record_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.settings.settings import Settings
    from monitor.core.subjects.rows import SubjectRow
    from monitor.reports.scope import Scope
    from monitor.reports.sources import Sources


async def add_contributions(
    settings: Settings, sources: Sources, scopes: Iterable[Scope], on_progress: Callable[[str, int, int], None]
) -> None:
    """Add the records of the clocks that were missed in the periods of reports to the material of these.

    Without them a report says less about reasons. It then tells why: a row is deleted when its subject has been
    finished for long, and not everybody may read the state.
    """
    plan = Plan(sources.book)
    for subject, ids in missed(sources, scopes).items():
        try:
            rows = await newest_rows(settings, subject, ids, lambda done, total: on_progress("state", done, total))
        except BrokerError as error:
            sources.warnings.append(f"whose time the missed clocks of {subject}s took cannot be told: {error}")
            continue
        found = [one for subject_id, row in rows.items() for one in _records(subject, subject_id, row, plan, sources)]
        sources.records = (*sources.records, *found)
        if gone := len(ids - rows.keys()):
            sources.warnings.append(
                f"whose time the missed clocks of {gone:,} of {len(ids):,} {subject}s took is not kept any more"
            )


def missed(sources: Sources, scopes: Iterable[Scope]) -> Mapping[Subject, set[str]]:
    """Return the subjects with a clock that was missed in the period of any of these reports."""
    periods = [(one.agreement.id, one.period) for one in scopes]
    found: dict[Subject, set[str]] = {}
    for alert in sources.alerts:
        key = alert.key
        if alert.state != "breached" or key.kind in OF_SERIES:
            continue
        if any(key.agreement == agreement and period.holds(alert.at_ms) for agreement, period in periods):
            subject = next(one for one in SUBJECTS if one == key.kind)
            found.setdefault(subject, set()).add(key.what)
    return found


def _records(subject: Subject, subject_id: str, row: SubjectRow, plan: Plan, sources: Sources) -> Iterable[ClockRecord]:
    for clock in row.clocks:
        terms = plan.terms(clock)
        if terms is not None:
            yield record_of(subject, subject_id, row, clock, terms, sources.as_of_ms)
