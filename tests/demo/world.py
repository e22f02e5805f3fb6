"""The simulated world watched by the real core: events as they arrive, time in steps, no Kafka."""

from __future__ import annotations

from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import SUBJECTS
from monitor.core.series.panes import merge_panes
from monitor.core.subjects.engine import SourceEngine
from monitor.core.time.periods import period_date
from monitor.core.time.units import HOUR_MS
from monitor.core.windows.evaluator import Evaluator
from monitor.demo.simulate import Simulator
from monitor.replay.dict_rows import DictRows

AGREEMENTS = Path(__file__).parents[2] / "deploy" / "agreements"
STEP_MS = 10_000


OVER = frozenset({"closed", "cancelled", "ended", "abandoned", "callback_requested", "resolved"})
"""How a subject's last event ends it."""


def finished_history(until_ms, hours):
    """The events of a desk, a call centre and a network in the hours up to an instant, of all that is finished by then.

    What is open would be judged by the clock once workers have caught up, and by the last event without Kafka. A
    priority that changes after midnight is left out: it decides for the day before, too, and a period is closed with
    what is known then, which is more for those who catch up.
    """
    events = Simulator(3, until_ms, history_ms=hours * HOUR_MS).until(until_ms)
    last = {
        (event.subject, event.subject_id): event.fact.type for event in sorted(events, key=lambda one: one.fact[:3])
    }
    days = {}
    for event in events:
        if event.fact.type in {"opened", "priority_changed"}:
            days.setdefault(event.subject_id, set()).add(period_date("Europe/Berlin", event.fact.time_ms))
    late = {subject_id for subject_id, of in days.items() if len(of) > 1}
    return [
        event
        for event in events
        if last[event.subject, event.subject_id] in OVER and (event.subject != "ticket" or event.subject_id not in late)
    ]


class Watch:
    """Watches a simulation from its start; ``noticed`` are the alerts with the instant at which they were known."""

    def __init__(self, seed, start_ms):
        self.book = load_agreements([AGREEMENTS])
        self.simulator = Simulator(seed, start_ms)
        self.start_ms = self.now_ms = start_ms
        self.rows = {subject: DictRows() for subject in SUBJECTS}
        self.engines = {subject: SourceEngine(subject, rows) for subject, rows in self.rows.items()}
        self.evaluator = Evaluator(DictRows())
        self.noticed = []
        self.statements = []
        self.rejected = []
        self.dsl_outages = set()
        self.events = 0

    def until(self, instant_ms):
        while True:
            self._step()
            if self.now_ms >= instant_ms:
                return self
            self.now_ms += STEP_MS

    def _step(self):
        arrived = self.simulator.until(self.now_ms)
        self.events += len(arrived)
        self.dsl_outages |= {one.subject_id for one in arrived if one.fact.attributes.get("service") == "dsl-access"}
        for subject, engine in self.engines.items():
            own = [event for event in arrived if event.subject == subject]
            self._note(subject, engine.batch(own, self.now_ms, self.book))
            self._note(subject, engine.due(self.rows[subject].due(self.now_ms), self.now_ms, self.book))
        more = True
        while more:
            done = self.evaluator.evaluate(self.now_ms, self.book)
            self.noticed += [(self.now_ms, alert) for alert in done.alerts]
            self.statements += [status for status in done.statuses if status.closed]
            more = done.more

    def _note(self, subject, effects):
        self.noticed += [(self.now_ms, alert) for alert in effects.alerts]
        self.rejected += effects.rejected
        for key, pane in effects.panes.items():
            self.evaluator.fold(subject, key, None if pane is None else merge_panes([pane]), self.book)
