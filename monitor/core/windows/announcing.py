"""Announces each change of a series' objectives once: the rows of its windows remember what was announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.objectives.status import judged_figure
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
from monitor.core.windows.evaluation import Found, Look, Spot
from monitor.core.windows.rows import ROLLING

if TYPE_CHECKING:
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.core.windows.rows import WindowRows


class Telling:
    """Announces the objectives of one series."""

    __slots__ = ("_rows",)

    def __init__(self, rows: WindowRows) -> None:
        self._rows = rows

    def announce(self, look: Look, at: Spot, status: WindowStatus, *, rolling: bool) -> Found:
        """Announce the changes of the objectives of a window; at its close also the ends of their alerts."""
        found, row = Found(), self._rows.get(at.window)
        before = row.told.get(at.period_ms, {})
        told = dict(before)
        for verdict in status.verdicts:
            name, figure = verdict.objective, judged_figure(status, verdict)
            if name in at.enforced:
                since_ms = told.get(name, QUIET).since_ms
                found.wakes_ms.append(since_ms)  # an evaluation of an earlier instant repeats then
                told[name], say = announce(
                    told.get(name, QUIET), verdict.verdict, verdict.comparison, at.at_ms, at.version, rolling=rolling
                )
                found.alerts += self._said(look, at, told[name], say, verdict, figure)
        for name, standing in before.items():
            if name not in at.enforced:
                told[name], ended_so = self.end(look, at, standing, at.over, unjudged(name))
                found.add(ended_so)
        if status.closed:
            verdicts = {verdict.objective: verdict for verdict in status.verdicts}
            for name, standing in told.items():
                verdict = verdicts.get(name) or unjudged(name)
                figure = judged_figure(status, verdict)
                found.add(self.end(look, at, standing, "period_closed", verdict, figure)[1])
        elif told != before and any(one != QUIET for one in told.values()):
            self._rows.put(at.window, row._replace(told={**row.told, at.period_ms: told}))
        return found

    def end(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        reason: str,
        verdict: ObjectiveVerdict,
        figure: Figure | None = None,
    ) -> tuple[Announced, Found]:
        """End the alert of an objective if one is open; return the objective's announced state after that."""
        found = Found()
        if at.at_ms < standing.since_ms:
            found.wakes_ms.append(standing.since_ms)
            return standing, found
        after, say = ended(standing, at.at_ms, reason)
        found.alerts += self._said(look, at, after, say, verdict, figure)
        return after, found

    def end_all(self, look: Look, name: str, reason: str) -> Found:
        """End the alerts of all objectives of a window."""
        found, row = Found(), self._rows.get(name)
        told: dict[int, dict[str, Announced]] = {}
        for period_ms, objectives in row.told.items():
            spot = Spot(name, period_ms, look.now_ms, look.binding.agreement.version, frozenset(), reason)
            told[period_ms] = {}
            for objective, standing in objectives.items():
                told[period_ms][objective], ended_so = self.end(look, spot, standing, reason, unjudged(objective))
                found.add(ended_so)
        if told != row.told:
            self._rows.put(name, row._replace(told=told))
        return found

    def _said(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        say: Told | None,
        verdict: ObjectiveVerdict,
        figure: Figure | None,
    ) -> list[Alert]:
        """Return the alert of a change; if nothing changed, none."""
        if say is None:
            return []
        began = look.scope.book.exact(self._rows.series.agreement, standing.version)
        objective = next((one for one in began.objectives if one.id == verdict.objective), None) if began else None
        labels = labels_of(began, self._rows.series)
        day = period_text(at.window, look.slices.zone, at.period_ms) if at.period_ms != ROLLING else ""
        return [
            objective_alert(
                Place(self._rows.series, labels, at.window, day),
                objective.indicator if objective else verdict.indicator,
                standing, say, at.at_ms, at.version, verdict, figure,
            )
        ]  # fmt: skip
