"""The law of the whole: however histories of all four subjects arrive, the same is known of them in the end.

Histories of tickets, calls, outages and leads run together under one book. What is disturbed: order of arrival, copies
of events, cuts into batches, how many partitions, restarts (rows go through their bytes, engines and evaluator are
built anew). While events come in, deadlines are judged by the watermark, as a worker does that catches up.

As long as each subject's own events keep their order (records of one key do), nothing at all may differ: rows, figures,
statements, verdicts, ids of alerts. Where they do not, a stop may be heard before an earlier fact: what was told of it
is then taken back, which is told too. So rows, figures, statements and verdicts are the same, and the alerts that are
out in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import SUBJECTS, Event, Fact, Subject
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import Pane, PaneKey, decode_pane_key, encode_pane_key
from monitor.core.subjects.effects import Effects
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import SubjectRow
from monitor.core.windows.evaluator import Evaluator
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS, RowCodec
from tests.replay.desk import book, ms

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
MONDAY_MS = ms("2024-03-04T00:00:00")
END_MS = MONDAY_MS + 9 * DAY_MS
LATENESS_MS = 15 * MINUTE_MS
FOR_EVER_MS = 400 * DAY_MS
KEPT = ("live", "day", "hour")
"""The panes that no batch here is too late for: one that spans days finds those of short windows gone."""

# One agreement for each kind of promise: a new kind gets a snippet here, and the laws hold it too.
PROMISES = (
    """
agreement: desk
calendars:
  office: {hours: {mon-fri: "09:00-17:00"}}
clocks:
  - {id: acknowledge, metric: acknowledge, targets: {P1: 30m, "*": 2h}, windows: [24h]}
  - {id: response, metric: first_response, calendar: office, targets: {"*": 4h}, at_risk: [50%, 30m], windows: [day]}
  - {id: each, metric: resolution, targets: {P1: 4h, "*": 24h}, at_risk: 75%, cycles: each, windows: [tumbling-7d]}
  - {id: recorded, metric: resolution, due_at: due_at, at_risk: 50%, cycles: each, by: [], windows: [day]}
  - {id: moving, metric: turnaround, due_at: due_at, calendar: office, pauses_move_due: true, by: [], windows: [day]}
  - {id: summed, metric: resolution, calendar: office, targets: {"*": 8h}, cycles: sum, by: [], windows: [week]}
objectives:
  - {id: resolved, of: each, indicator: compliance, target: ">= 90 %", windows: [day, week]}
  - {id: fast, of: response, indicator: p90, target: "<= 1h", windows: day}
""",
    """
agreement: phones
calls:
  - {id: line, answer_within: 20s, short_abandon: 5s, by: [queue], windows: [30m, day]}
objectives:
  - {id: answered, of: line, indicator: service_level, target: ">= 80 %", at_risk: 85 %, windows: day}
""",
    """
agreement: network
clocks:
  - {id: restore, subject: outage, metric: restore, targets: {"*": 1h}, windows: [day]}
outages:
  - {id: sites, by: [service], maintenance: {exclusion: both, notice: 1h}, overlap: sum, windows: [24h, tumbling-7d]}
objectives:
  - {id: up, of: sites, indicator: availability, target: ">= 99 %", windows: day}
""",
    """
agreement: sales
clocks:
  - {id: follow-up, subject: lead, metric: follow_up, targets: {"*": 1h}, by: [team], windows: [day]}
objectives:
  - {id: followed, of: follow-up, indicator: compliance, target: ">= 95 %", windows: [day, week]}
""",
)
BOOK = book(*PROMISES)

# What may happen to a subject after its first fact, each with how far apart in minutes, and what a fact may carry.
STORIES: dict[Subject, tuple[str, tuple[str, ...], int]] = {
    "ticket": (
        "opened",
        ("acknowledged", "assigned", "responded", "customer_replied", "updated", "paused", "resumed", "resolved",
         "reopened", "priority_changed", "closed", "cancelled"),
        240,
    ),
    "call": ("queued", ("answered", "abandoned", "transferred", "callback_requested", "held", "retrieved", "ended"), 2),
    "outage": ("started", ("acknowledged", "responded", "degraded", "impact_changed", "restored", "resolved"), 90),
    "lead": ("created", ("handed_over", "attempted", "contacted", "qualified", "disqualified", "won", "lost"), 120),
}  # fmt: skip
CARRIED = {
    "opened": ("priority", ("P1", "P2")), "priority_changed": ("priority", ("P1", "P2")),
    "paused": ("reason", ("customer", "supplier")), "resumed": ("reason", ("customer", "supplier")),
    "queued": ("queue", ("support", "sales")), "started": ("service", ("core", "edge")),
    "handed_over": ("team", ("north", "south")), "degraded": ("weight", (0.25, 0.5)),
}  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Some subjects of each kind, all events in the order in which they happened."""
    events = []
    for subject, (first, later, apart) in STORIES.items():
        for number in range(draw(st.integers(0, 2))):
            at_ms = MONDAY_MS + draw(st.integers(0, 24 * 60)) * MINUTE_MS
            for place, kind in enumerate([first, *draw(st.lists(st.sampled_from(later), max_size=5))]):
                name, values = CARRIED.get(kind, ("", ()))
                attributes = {name: draw(st.sampled_from(values))} if name else {}
                if kind in {"opened", "updated", "reopened"} and draw(st.booleans()):
                    attributes["due_at"] = at_ms + draw(st.integers(-60, 48 * 60)) * MINUTE_MS
                fact = Fact(at_ms, place, f"{subject}-{number}-{place}", kind, attributes)
                events.append(Event(subject, f"{subject}-{number}", fact))
                at_ms += draw(st.integers(0, apart * 60)) * 1_000
    return sorted(events, key=lambda one: one.fact[:3])


class Encoded:
    """Rows as they are between two batches: bytes."""

    def __init__(self, codec: RowCodec) -> None:
        self.codec = codec
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> object | None:
        encoded = self.rows.get(key)
        return None if encoded is None else self.codec.decode(key, encoded)

    def put(self, key: bytes, row: object | None) -> None:
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = bytes(self.codec.encode(key, row))


class Partition:
    """One source partition: rows, an engine that can be built anew, and how far it has read."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rows = Encoded(SOURCE_ROWS)
        self.newest_ms = 0
        self.restart()

    def restart(self) -> None:
        self.engine = SourceEngine(self.subject, self.rows, retention_ms=FOR_EVER_MS)
        self.engine.restore(self.rows.rows)

    def fold(self, events: Sequence[Event]) -> list[Effects]:
        self.newest_ms = max([self.newest_ms, *(one.fact.time_ms for one in events)])
        horizon_ms = self.newest_ms - LATENESS_MS
        return [self.engine.batch(events, horizon_ms, BOOK), *self.due(horizon_ms)]

    def due(self, until_ms: int) -> Iterable[Effects]:
        """Let time pass, each deadline at its own instant: a leap of days would be too late for some panes."""
        while waiting := [(wake_ms, key) for key, wake_ms in self.wakes() if wake_ms <= until_ms]:
            wake_ms, key = min(waiting)
            yield self.engine.due([key], wake_ms, BOOK)

    def wakes(self) -> Iterable[tuple[bytes, int]]:
        for key, encoded in list(self.rows.rows.items()):
            if key[:1] == b"s" and (wake_ms := SOURCE_ROWS.wake_ms(encoded)):
                yield key, wake_ms


class World:
    """Partitions of all subjects, and one evaluator."""

    def __init__(self, partitions: int = 1) -> None:
        self.sources = {subject: [Partition(subject) for _ in range(partitions)] for subject in SUBJECTS}
        self.rows = Encoded(EVALUATE_ROWS)
        self.alerts: list[Alert] = []
        self.statements: list[WindowStatus] = []
        self.rejected: Counter[str] = Counter()
        self.evaluator = Evaluator(self.rows)

    def restart(self) -> None:
        for partitions in self.sources.values():
            for one in partitions:
                one.restart()
        self.evaluator = Evaluator(self.rows)
        self.evaluator.restore(self.rows.rows)

    def take(self, events: Sequence[Event]) -> None:
        """One batch of what arrived, each event at the partition of its subject."""
        lots: dict[tuple[Subject, int], list[Event]] = {}
        for one in events:
            place = int(one.subject_id[-1]) % len(self.sources[one.subject])
            lots.setdefault((one.subject, place), []).append(one)
        for (subject, place), lot in lots.items():
            for effects in self.sources[subject][place].fold(lot):
                self.note(subject, place, effects)

    def note(self, subject: Subject, place: int, effects: Effects) -> None:
        self.alerts += effects.alerts
        self.rejected.update(reason for _, reason in effects.rejected)
        for key in effects.panes:
            pane = self.sources[subject][place].rows.get(encode_pane_key(key))
            assert pane is None or isinstance(pane, Pane)
            self.evaluator.fold(f"{subject}s/{place}", key, pane, BOOK)

    def end(self, *, restarts: bool = False) -> World:
        """All has been read: let the clock decide, and judge the windows as time passes."""
        for subject, partitions in self.sources.items():
            for place, one in enumerate(partitions):
                for effects in one.due(END_MS):
                    self.note(subject, place, effects)
        now_ms = MONDAY_MS
        while now_ms < END_MS:
            due_ms = self.evaluator.next_ms(now_ms)
            now_ms = END_MS if due_ms is None else min(max(due_ms, now_ms), END_MS)
            self.judge(now_ms)
            if restarts:
                self.restart()
            now_ms += DAY_MS
        self.evaluator.touch_all()  # so that all is as of the same instant
        self.judge(END_MS)
        return self

    def judge(self, now_ms: int) -> None:
        more = True
        while more:
            done = self.evaluator.evaluate(now_ms, BOOK, limit=3)
            self.alerts += done.alerts
            self.statements += [one for one in done.statuses if one.closed]
            more = done.more

    # what is known in the end

    def subjects(self, *, ordinals: bool) -> dict[bytes, tuple[object, ...]]:
        found = {}
        for partitions in self.sources.values():
            for one in partitions:
                for key in one.rows.rows:
                    row = one.rows.get(key)
                    if isinstance(row, SubjectRow):
                        clocks = [each if ordinals else each._replace(ordinal=0) for each in row.clocks]
                        found[key] = row.facts, clocks, row.shown, row.known(), row.wake_ms
        return found

    def panes(self) -> dict[PaneKey, Pane]:
        found: dict[PaneKey, list[Pane]] = {}
        for partitions in self.sources.values():
            for one in partitions:
                for key in one.rows.rows:
                    pane = one.rows.get(key)
                    if isinstance(pane, Pane):
                        found.setdefault(decode_pane_key(key), []).append(pane)
        merged = {key: merge_panes(panes) for key, panes in found.items()}
        return {key: pane for key, pane in merged.items() if any(pane) and key.width in KEPT}

    def stated(self) -> list[WindowStatus]:
        return sorted(self.statements, key=lambda one: (one.series, one.window, one.from_ms))

    def standing(self) -> dict[tuple[object, ...], str]:
        """The alerts that are out in the end."""
        last = {tuple(one.key): one.state for one in self.alerts}
        return {key: state for key, state in last.items() if state in ("at_risk", "breached")}

    def ids(self) -> list[str]:
        return sorted(one.id for one in self.alerts)


def undisturbed(events: Sequence[Event]) -> World:
    world = World()
    for one in events:
        world.take([one])
    return world.end()


def disturbed(events: Sequence[Event], data: st.DataObject) -> World:
    """Some copies of events, cut into batches for some partitions, with restarts between them."""
    copies = data.draw(st.lists(st.integers(0, max(0, len(events) - 1)), max_size=4 if events else 0), "repeated")
    arrived = [one for place, event in enumerate(events) for one in [event] * (1 + copies.count(place))]
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(arrived))), max_size=5), "cuts") | {len(arrived)})
    world = World(data.draw(st.integers(1, 3), "partitions"))
    for start, end in zip([0, *cuts], cuts, strict=False):
        world.take(arrived[start:end])
        if data.draw(st.booleans(), "restart"):
            world.restart()
    return world.end(restarts=data.draw(st.booleans(), "restarts at the end"))


@settings(max_examples=20, deadline=None)
@given(histories(), st.data())
def test_copies_batches_partitions_interleavings_and_restarts_change_nothing_at_all(
    events: list[Event], data: st.DataObject
):
    straight = undisturbed(events)
    # Subjects overtake each other as partitions do; each keeps its own order.
    delays = {one.subject_id: data.draw(st.integers(0, LATENESS_MS), "delay") for one in events}
    arrived = sorted(events, key=lambda one: (one.fact.time_ms + delays[one.subject_id], *one.fact[1:3]))

    world = disturbed(arrived, data)

    assert world.subjects(ordinals=True) == straight.subjects(ordinals=True)
    assert world.panes() == straight.panes()
    assert world.ids() == straight.ids()
    assert len(set(world.ids())) == len(world.ids())
    assert world.stated() == straight.stated()
    assert world.evaluator.latest == straight.evaluator.latest
    assert world.rejected == straight.rejected


@settings(max_examples=20, deadline=None)
@given(histories(), st.data())
def test_any_order_within_the_allowed_lateness_gives_the_same_rows_figures_statements_and_verdicts(
    events: list[Event], data: st.DataObject
):
    straight = undisturbed(events)
    delayed = [(one.fact.time_ms + data.draw(st.integers(0, LATENESS_MS), "delay"), one) for one in events]

    world = disturbed([one for _, one in sorted(delayed, key=lambda pair: pair[0])], data)

    assert world.subjects(ordinals=False) == straight.subjects(ordinals=False)
    assert world.panes() == straight.panes()
    assert world.stated() == straight.stated()
    assert world.evaluator.latest == straight.evaluator.latest
    assert world.standing() == straight.standing()
    assert len(set(world.ids())) == len(world.ids())
