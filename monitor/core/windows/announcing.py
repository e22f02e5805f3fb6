"""Announces each change of a series' objectives once: the rows of its windows remember what was announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.objectives.verdicts import (
    QUIET,
    Announced,
    Place,
    Told,
    announce,
    ended,
    labels_of,
    objective_alert,
    unjudged,
)
from monitor.core.time.periods import period_text
from monitor.core.windows.evaluation import Look, Spot
from monitor.core.windows.rows import ROLLING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.core.windows.rows import WindowRows


class Telling:
    """Announces the objectives of one series."""

    __slots__ = ("_rows",)

    def __init__(self, rows: WindowRows) -> None:
        self._rows = rows

    def announce(self, look: Look, at: Spot, status: WindowStatus, *, rolling: bool) -> None:
        """Announce the changes of the objectives of a window; at its close also the ends of their alerts."""
        row = self._rows.get(at.window)
        before = row.told.get(at.period_ms, {})
        told = dict(before)
        for verdict in status.verdicts:
            name = verdict.objective
            if name in at.enforced:
                look.wakes_ms.append(told.get(name, QUIET).since_ms)  # an evaluation of an earlier instant repeats then
                told[name], say = announce(
                    told.get(name, QUIET), verdict.verdict, verdict.comparison, at.at_ms, at.version, rolling=rolling
                )
                self._say(look, at, told[name], say, verdict, status.figures)
        for name, standing in before.items():
            if name not in at.enforced:
                told[name] = self.end(look, at, standing, at.over, unjudged(name))
        if status.closed:
            verdicts = {verdict.objective: verdict for verdict in status.verdicts}
            for name, standing in told.items():
                verdict = verdicts.get(name) or unjudged(name)
                self.end(look, at, standing, "period_closed", verdict, status.figures)
        elif told != before and any(one != QUIET for one in told.values()):
            self._rows.put(at.window, row._replace(told={**row.told, at.period_ms: told}))

    def end(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        reason: str,
        verdict: ObjectiveVerdict,
        figures: Iterable[Figure] = (),
    ) -> Announced:
        """End the alert of an objective if one is open; return the objective's announced state after that."""
        if at.at_ms < standing.since_ms:
            look.wakes_ms.append(standing.since_ms)
            return standing
        after, say = ended(standing, at.at_ms, reason)
        self._say(look, at, after, say, verdict, figures)
        return after

    def end_all(self, look: Look, name: str, reason: str) -> None:
        """End the alerts of all objectives of a window."""
        row = self._rows.get(name)
        told = {}
        for period_ms, objectives in row.told.items():
            spot = Spot(name, period_ms, look.now_ms, look.binding.agreement.version, frozenset(), reason)
            told[period_ms] = {
                objective: self.end(look, spot, standing, reason, unjudged(objective))
                for objective, standing in objectives.items()
            }
        if told != row.told:
            self._rows.put(name, row._replace(told=told))

    def _say(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        say: Told | None,
        verdict: ObjectiveVerdict,
        figures: Iterable[Figure],
    ) -> None:
        if say is None:
            return
        began = look.scope.book.exact(self._rows.series.agreement, standing.version)
        objective = next((one for one in began.objectives if one.id == verdict.objective), None) if began else None
        labels = labels_of(began, self._rows.series)
        day = period_text(at.window, look.slices.zone, at.period_ms) if at.period_ms != ROLLING else ""
        figure = next((one for one in figures if one.indicator == verdict.indicator), None)
        look.alerts.append(
            objective_alert(
                Place(self._rows.series, labels, at.window, day),
                objective.indicator if objective else verdict.indicator,
                standing, say, at.at_ms, at.version, verdict, figure,
            )
        )  # fmt: skip
