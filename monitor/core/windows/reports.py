"""Finished reports: who is told, once, that the statements of a period stand (domain.md §1).

`Reports` notes the statements of one partition as they are made, and returns the reports of their periods when no
series has a period left to state. All series of an agreement are in one partition, so its report is whole then. What
is noted is returned by a later call than the one that follows the statements, and so in a later transaction: whoever
reads the announcement can read the statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.agreements.schedule import began_ms, report_of
from monitor.core.time.periods import period, period_name, period_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.core.agreements.book import Book
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.rows import Rows
    from monitor.core.time.windows import WindowKind

ReportReason = Literal["closed", "cohort", "late"]

REPORT: Final = b"r"
"""The first byte of the keys of the rows."""
REPORTS_AT_ONCE: Final = 50
"""The most agreements whose reports one call returns: after a long stop the rest waits for the next one."""
_SEPARATOR: Final = "\x1f"


class FinishedReport(NamedTuple):
    """The announcement that the report of a period ``[from_ms, to_ms)`` can be made, to one receiver.

    ``period`` is the name of the period, ``receiver`` a role or name to which the agreement's ``reports`` are due by
    ``due_ms``, ``statistics`` the measures that it sees (none: all). ``reason``: "closed" if the period ended after all
    that were announced before; else "cohort" if only statements of promises that outlast it have come, or "late".
    """

    agreement: str
    version: int
    window: WindowKind
    period: str
    zone: str
    from_ms: int
    to_ms: int
    receiver: str
    statistics: tuple[str, ...]
    reason: ReportReason
    as_of_ms: int
    due_ms: int


class Owed(NamedTuple):
    """The statements of a period that are not in any announced report.

    ``version`` is the newest version of them, ``to`` who sees any of them, ``only_cohorts`` whether all are second
    statements.
    """

    version: int
    to: tuple[str, ...]
    only_cohorts: bool


class ReportRow(NamedTuple):
    """The reports of an agreement by one kind of period. Its key begins with ``r``.

    ``owed`` are those still to be announced, by the start of the period. ``told_to_ms`` is the end of the newest period
    that was announced.
    """

    owed: dict[int, Owed]
    told_to_ms: int = 0


class Reports:
    """The reports of one partition. ``keys`` are those of its rows; they are read only when they are needed."""

    def __init__(self, rows: Rows, keys: Iterable[bytes] = ()) -> None:
        self._rows = rows
        self._owed = set(keys)
        """The keys of rows that may owe a report."""
        self._fresh: set[bytes] = set()
        """Those that owe statements made since the last call of `finished`."""

    @property
    def is_waiting(self) -> bool:
        """Whether `finished` must be called again, in another transaction."""
        return bool(self._owed)

    def stated(self, status: WindowStatus, book: Book) -> None:
        """Note a statement: the report of its period is owed to those who may see it."""
        window = period_window(status.window)
        agreement = book.exact(status.series.agreement, status.version)
        if window is None or agreement is None:
            return
        receivers = agreement.audience(status.series.measure, window.kind)
        if not receivers:  # nor are tumbling windows reported
            return
        key = REPORT + _SEPARATOR.join((agreement.id, window.kind)).encode()
        row = self._row(key)
        start_ms = period(agreement.zone, window.kind, status.from_ms).start_ms
        owed = Owed(agreement.version, receivers, bool(window.cohort))
        if start_ms in row.owed:
            before = row.owed[start_ms]
            to = tuple(dict.fromkeys((*before.to, *receivers)))
            owed = Owed(max(before.version, owed.version), to, before.only_cohorts and owed.only_cohorts)
        if owed != row.owed.get(start_ms):
            self._rows.put(key, row._replace(owed={**row.owed, start_ms: owed}))
        self._owed.add(key)
        self._fresh.add(key)

    def finished(self, now_ms: int, book: Book) -> list[FinishedReport]:
        """Return the reports that are owed, each once. Only to be called when no series has a period left to state."""
        keys = sorted(self._owed - self._fresh)[:REPORTS_AT_ONCE]
        self._fresh.clear()
        found: list[FinishedReport] = []
        for key in keys:
            self._owed.discard(key)
            row = self._row(key)
            told_to_ms = row.told_to_ms
            for start_ms, owed in sorted(row.owed.items()):
                for one in _reports(key, start_ms, owed, row.told_to_ms, now_ms, book):
                    found.append(one)
                    told_to_ms = max(told_to_ms, one.to_ms)
            if row.owed:
                self._rows.put(key, ReportRow({}, told_to_ms))
        return found

    def _row(self, key: bytes) -> ReportRow:
        row = self._rows.get(key)
        return row if isinstance(row, ReportRow) else ReportRow({})


def _reports(
    key: bytes, start_ms: int, owed: Owed, told_to_ms: int, now_ms: int, book: Book
) -> Iterator[FinishedReport]:
    agreement_id, kind = key[len(REPORT) :].decode().split(_SEPARATOR)
    agreement = book.exact(agreement_id, owed.version)
    if agreement is None:  # it was taken back since
        return
    for receiver in owed.to:
        rights = [one for one in agreement.reports if one.every == kind and receiver in one.to]
        begin_ms = began_ms(book.agreements, agreement)
        dates = [report for one in rights if (report := report_of(agreement, one, start_ms, begin_ms)) is not None]
        if not dates:  # an amendment has taken the right back, or ended the agreement before
            continue
        window = rights[0].every
        sees_all = any(not one.statistics for one in rights)
        statistics = () if sees_all else tuple(dict.fromkeys(name for one in rights for name in one.statistics))
        reason: ReportReason = "closed" if start_ms >= told_to_ms else "cohort" if owed.only_cohorts else "late"
        yield FinishedReport(
            agreement=agreement.id,
            version=agreement.version,
            window=window,
            period=period_name(window, agreement.zone, start_ms),
            zone=agreement.zone,
            from_ms=dates[0].from_ms,
            to_ms=dates[0].to_ms,
            receiver=receiver,
            statistics=statistics,
            reason=reason,
            as_of_ms=now_ms,
            due_ms=min(one.due_ms for one in dates),
        )
