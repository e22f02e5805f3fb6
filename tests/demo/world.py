"""The simulated world watched by the real core: events as they arrive, time in steps, no Kafka."""

from __future__ import annotations

from pathlib import Path

from monitor.config.agreements import load_agreements
from monitor.core.engine import SourceEngine
from monitor.core.evaluator import Evaluator
from monitor.core.panes import merge_panes
from monitor.core.series import Pane, encode_pane_key
from monitor.demo.simulate import Simulator
from monitor.replay.dict_rows import DictRows

AGREEMENTS = Path(__file__).parents[2] / "deploy" / "agreements"
STEP_MS = 10_000


class Watch:
    """Watches a simulation from its start; ``noticed`` are the alerts with the instant at which they were known."""

    def __init__(self, seed, start_ms):
        self.book = load_agreements([AGREEMENTS])
        self.simulator = Simulator(seed, start_ms)
        self.start_ms = self.now_ms = start_ms
        self.rows = {subject: DictRows() for subject in ("ticket", "call", "outage")}
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
        for key in effects.panes:
            pane = self.rows[subject].get(encode_pane_key(key))
            self.evaluator.fold(subject, key, merge_panes([pane]) if isinstance(pane, Pane) else None, self.book)
