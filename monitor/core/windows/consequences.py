"""The consequences of the closed periods of one series, their row and their alerts.

The misses of earlier periods and the credits that can still be claimed are kept in a row beside the window's own, so
that a restart changes nothing. A warning before the right to terminate is announced as ``at_risk``, the right as
``breached``, both on one key of kind ``termination``. The alert is resolved when enough periods were kept that neither
holds any longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.objectives.consequence import Consequence
from monitor.core.objectives.consequences import decide
from monitor.core.objectives.credits import charged
from monitor.core.objectives.verdicts import QUIET, Announced, Place, ended, labels_of, told_state
from monitor.core.series.series import is_rest
from monitor.core.windows.rows import encode_window_key

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.rows import Rows
    from monitor.core.series.series import SeriesKey
    from monitor.core.windows.evaluation import Look

MOST_OPEN: Final = 400
"""The most credits of one series and window that are kept; if claims have no end, the oldest are dropped."""


class ConsequenceRow(NamedTuple):
    """The row of a calendar window's consequences. Its key begins with ``c``.

    ``misses`` are the missed periods that may still count, ``told`` the announced states, both by objective. ``open``
    are the credits that can still be claimed, and the rights to terminate, or warnings, that hold.
    """

    misses: dict[str, tuple[int, ...]]
    told: dict[str, Announced]
    open: tuple[Consequence, ...] = ()


class SeriesConsequences:
    """Decides the consequences of one series. If the agreement has none, it does nothing."""

    __slots__ = ("_known", "_rows", "series")

    def __init__(self, series: SeriesKey, rows: Rows) -> None:
        self.series = series
        self._rows = rows
        self._known: dict[str, ConsequenceRow] = {}

    def closed(
        self, look: Look, agreement: Agreement, status: WindowStatus
    ) -> tuple[tuple[Consequence, ...], list[Alert]]:
        """Decide and store what follows from a period, or a part of one, that has closed; return it with its alerts."""
        if not agreement.consequences or agreement.status == "draft" or is_rest(self.series):
            return (), []  # the rest is no single customer's series, so nobody is owed a credit for it
        row = self._load(status.window)
        decision = decide(status, agreement, row.misses)
        told = dict(row.told)
        alerts: list[Alert] = []
        for objective, standing in decision.standing.items():
            was = told.get(objective, QUIET)
            now, reason = _after(was, standing, status.as_of_ms, agreement.version)
            told[objective] = now
            if reason:
                misses = decision.misses[objective]
                alerts.append(_alert(look, self.series, agreement, objective, status, now, reason, misses))
        kept = [
            one
            for one in row.open
            if one.kind == "credit" and (not one.claim_until_ms or one.claim_until_ms > look.now_ms)
        ]
        found = charged(self._rows, agreement, decision.consequences)
        kept += [one for one in found if one.kind == "credit"]
        # The newest warning or right to terminate, as long as it holds.
        for objective, standing in decision.standing.items():
            words = [one for one in (*row.open, *found) if (one.objective, one.kind) == (objective, standing)]
            kept += words[-1:]
        self._put(status.window, ConsequenceRow(decision.misses, told, tuple(kept[-MOST_OPEN:])))
        return tuple(found), alerts

    def open(self, look: Look, window: str) -> tuple[Consequence, ...]:
        """Return the consequences of closed periods that still hold: credits to claim, rights to terminate."""
        if not look.binding.agreement.consequences:
            return ()
        return tuple(
            one for one in self._load(window).open if not one.claim_until_ms or one.claim_until_ms > look.now_ms
        )

    def _load(self, window: str) -> ConsequenceRow:
        row = self._known.get(window)
        if row is None:
            stored = self._rows.get(_key(self.series, window))
            row = self._known[window] = stored if isinstance(stored, ConsequenceRow) else ConsequenceRow({}, {})
        return row

    def _put(self, window: str, row: ConsequenceRow) -> None:
        if row != self._load(window):
            self._known[window] = row
            self._rows.put(_key(self.series, window), row)


def _key(series: SeriesKey, window: str) -> bytes:
    return b"c" + encode_window_key(series, window)[1:]


def _after(was: Announced, standing: str, at_ms: int, version: int) -> tuple[Announced, str]:
    """Return the announced state of a right to terminate after a period, and the alert's reason; "" for no change."""
    if standing == "termination_right":
        if was.state == "breached":
            return was, ""
        cycle = was.cycle if was.firing else was.cycle + 1
        return Announced("breached", cycle, at_ms, was.version if was.firing else version), "may_terminate"
    if standing == "termination_warning" and not was.firing:
        return Announced("at_risk", was.cycle + 1, at_ms, version), "one_miss_left"
    if was.firing and (not standing or was.state == "breached"):
        return ended(was, at_ms, "")[0], "misses_passed"
    return was, ""


def _alert(
    look: Look, series: SeriesKey, agreement: Agreement, objective: str, status: WindowStatus, now: Announced,
    reason: str, misses: tuple[int, ...],
) -> Alert:  # fmt: skip
    rule = next(one for one in agreement.consequences.termination if one.objective == objective)
    labels = labels_of(look.scope.book.exact(series.agreement, now.version), series)
    key = AlertKey("termination", Place(series, labels, status.window).what, series.agreement, objective, now.cycle)
    state = told_state(now)
    return Alert(
        alert_id(key, state, "", 0), key, state, now.since_ms, reason, agreement.version,
        {
            "agreement": series.agreement, "objective": objective, "measure": series.measure,
            "window": status.window, **labels,
        },
        indicator="misses", window=status.window, value=float(len(misses)), target=float(rule.misses),
        numerator=float(len(misses)), denominator=float(rule.periods),
    )  # fmt: skip
