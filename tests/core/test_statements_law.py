"""The law of statements: who works off a history, how and when, states the same periods with the same figures.

Histories span months, windows are a quarter of an hour to a month long. Compared are a replay (with coarse and with
fine steps), a worker that evaluates with each event, one that was stopped for weeks, and any cut into batches, for any
number of partitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Event, Fact, Subject
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.panes import merge_panes
from monitor.core.subjects.engine import Effects, SourceEngine
from monitor.core.time.spans import Span
from monitor.core.time.windows import Window
from monitor.core.windows.evaluator import Evaluator
from monitor.replay.dict_rows import DictRows
from monitor.replay.local import run_replay
from tests.replay.desk import book, ms

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
BEGAN_MS = ms("2024-03-01T00:00:00")
END_MS = BEGAN_MS + 70 * DAY_MS
FOR_EVER_MS = 400 * DAY_MS

BOOK = book(
    """
agreement: phones
calls:
  - {id: line, answer_within: 20s, repeat_within: 24h, windows: [tumbling-15m, 1h, day, month]}
objectives:
  - {id: answered, of: line, indicator: service_level, target: ">= 80 %", windows: [day, month]}
""",
    """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {P1: 4h, "*": 24h}, windows: [tumbling-12h, month]}
  - {id: each, metric: resolution, targets: {"*": 8h}, cycles: each, by: [], windows: [day, week]}
""",
    """
agreement: network
outages:
  - {id: sites, by: [service], windows: [day, month]}
""",
)
STORIES: dict[Subject, tuple[str, tuple[str, ...], int]] = {
    "call": ("queued", ("answered", "abandoned", "held", "retrieved", "ended"), 40),
    "ticket": ("opened", ("acknowledged", "responded", "paused", "resumed", "resolved", "reopened", "closed"), 4_000),
    "outage": ("started", ("acknowledged", "restored", "resolved"), 24 * 60),
}  # fmt: skip
CARRIED = {"opened": ("priority", ("P1", "P2")), "queued": ("queue", ("a", "b")), "started": ("service", ("core",))}


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to some subjects of each kind in three months, all events in the order in which they happened."""
    events = []
    for subject, (first, later, apart) in STORIES.items():
        for number in range(draw(st.integers(0, 3))):
            at_ms = BEGAN_MS + draw(st.integers(0, 50 * 24 * 60)) * MINUTE_MS
            for place, kind in enumerate([first, *draw(st.lists(st.sampled_from(later), max_size=4))]):
                name, values = CARRIED.get(kind, ("", ()))
                attributes = {name: draw(st.sampled_from(values))} if name else {}
                if kind == "queued":
                    attributes["caller"] = "one"
                fact = Fact(at_ms, place, f"{subject}-{number}-{place}", kind, attributes)
                events.append(Event(subject, f"{subject}-{number}", fact))
                at_ms += draw(st.integers(1, apart * 60)) * 1_000
    return sorted(events, key=lambda one: one.fact[:3])


class Worker:
    """Partitions of all subjects and one evaluator, as workers have them, without Kafka."""

    def __init__(self, partitions: int = 1, agreements: Book = BOOK) -> None:
        self.partitions = partitions
        self.book = agreements
        self.rows: dict[tuple[Subject, int], DictRows] = {}
        self.engines: dict[tuple[Subject, int], SourceEngine] = {}
        self.evaluator = Evaluator(DictRows())
        self.stated: list[WindowStatus] = []

    def take(self, events: Sequence[Event], now_ms: int) -> None:
        """One batch: deadlines are judged by the newest event, then all that it made passes on, expired panes too."""
        lots: dict[tuple[Subject, int], list[Event]] = {}
        for one in events:
            lots.setdefault((one.subject, int(one.subject_id[-1]) % self.partitions), []).append(one)
        for place, lot in lots.items():
            if place not in self.engines:
                rows = self.rows[place] = DictRows()
                self.engines[place] = SourceEngine(place[0], rows, retention_ms=FOR_EVER_MS)
            self.pass_on(place, self.engines[place].batch(lot, now_ms, self.book))
        for place, engine in self.engines.items():
            while keys := self.rows[place].due(now_ms):
                self.pass_on(place, engine.due(keys, now_ms, self.book))
            while dropped := engine.expire(now_ms):
                for key in dropped:
                    self.evaluator.fold(f"{place[0]}/{place[1]}", key, None, self.book)

    def pass_on(self, place: tuple[Subject, int], effects: Effects) -> None:
        for key, pane in effects.panes.items():
            copy = None if pane is None else merge_panes([pane])
            self.evaluator.fold(f"{place[0]}/{place[1]}", key, copy, self.book)

    def look(self, now_ms: int) -> None:
        more = True
        while more:
            done = self.evaluator.evaluate(now_ms, self.book, limit=3)
            self.stated += [one for one in done.statuses if one.closed]
            more = done.more


def told(statements: Sequence[WindowStatus]) -> dict[object, object]:
    """What is stated; nothing twice."""
    found = {}
    for one in statements:
        place = one.series, one.window, one.from_ms
        assert place not in found
        found[place] = one
    return found


def worked_off(events: Sequence[Event], cuts: Sequence[int], partitions: int = 1, *, looks: bool = True) -> object:
    """The statements of a worker that gets events in batches, and evaluates after each, or only at the end."""
    worker = Worker(partitions)
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        if events[start:end]:
            newest_ms = events[end - 1].fact.time_ms
            worker.take(events[start:end], newest_ms)
            if looks:
                worker.look(newest_ms)
    worker.take([], END_MS)
    worker.look(END_MS)
    return told(worker.stated)


@settings(
    max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # a shrink takes minutes
@given(histories(), st.data())
def test_law_a_replay_a_worker_from_the_start_and_one_with_long_stops_state_the_same(
    events: list[Event], data: st.DataObject
):
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=4), "stops")) if events else []
    step_ms = data.draw(st.sampled_from([15 * MINUTE_MS, HOUR_MS, DAY_MS]), "step")

    steady = worked_off(events, range(1, len(events)))

    assert worked_off(events, [], looks=False) == steady
    assert worked_off(events, cuts, data.draw(st.integers(1, 3), "partitions")) == steady
    assert told(run_replay(events, BOOK, step_ms=step_ms, until_ms=END_MS).statements if events else []) == steady


# -- stories: what became known after the close

CALL_MS = BEGAN_MS + 9 * HOUR_MS
"""In the quarter hour from 09:00 to 09:15, which closes at 09:30."""


def call(*facts: tuple[int, str]) -> list[Event]:
    return [
        Event("call", "call-1", Fact(CALL_MS + minute * MINUTE_MS, 0, f"{kind}-{minute}", kind, {"queue": "a"}))
        for minute, kind in facts
    ]


def of_the_quarter(statements: object, *indicators: str) -> list[tuple[float, float]]:
    (found,) = [one for key, one in statements.items() if key[1:] == ("tumbling-15m", CALL_MS)]
    figures = {one.indicator: one for one in found.figures}
    return [(figures[name].numerator, figures[name].denominator) for name in indicators]


def all_ways(events: list[Event]) -> object:
    steady = worked_off(events, range(1, len(events)))
    assert worked_off(events, [], looks=False) == steady
    assert told(run_replay(events, BOOK, step_ms=DAY_MS, until_ms=END_MS).statements) == steady
    return steady


def test_a_call_that_ends_after_the_close_of_its_quarter_hour_is_answered_in_it_and_not_yet_handled():
    stated = all_ways(call((5, "queued"), (6, "answered"), (55, "ended")))
    assert of_the_quarter(stated, "SL1", "aht") == [(0, 1), (0, 0)]
    (day,) = [one for key, one in stated.items() if key[1:] == ("day", BEGAN_MS)]
    assert next(one for one in day.figures if one.indicator == "aht").denominator == 1


def test_a_call_that_is_answered_after_the_close_still_waited_beyond_its_time_in_the_statement():
    assert of_the_quarter(all_ways(call((5, "queued"), (40, "answered"))), "SL1", "asa") == [(0, 1), (0, 0)]


def test_a_call_that_is_given_up_hours_later_still_waited_in_the_statement():
    assert of_the_quarter(all_ways(call((5, "queued"))), "SL1", "lost") == [(0, 1), (0, 1)]


def test_an_event_that_moves_a_call_out_of_its_measure_after_the_close_leaves_the_statement():
    narrow = book(
        """
agreement: phones
calls:
  - {id: line, answer_within: 20s, where: {queue: a}, windows: [tumbling-15m]}
"""
    )
    events = call((5, "queued"), (6, "answered"), (55, "ended"))
    moved = events[-1].fact._replace(attributes={"queue": "b"})
    worker = Worker(agreements=narrow)
    worker.take([*events[:-1], Event("call", "call-1", moved)], CALL_MS + HOUR_MS)
    worker.look(CALL_MS + HOUR_MS)
    assert of_the_quarter(told(worker.stated), "SL1") == [(0, 1)]


def test_what_is_known_again_after_an_amendment_leaves_statements_alone():
    worker = Worker()
    worker.take(call((5, "queued"), (6, "answered")), CALL_MS + HOUR_MS)
    worker.book = Book(BOOK.agreements, BOOK.stamp + 1)
    worker.take(call((55, "ended")), CALL_MS + HOUR_MS)
    worker.look(CALL_MS + HOUR_MS)
    assert of_the_quarter(told(worker.stated), "SL1") == [(0, 1)]


def test_the_periods_of_an_agreement_that_ends_close_with_it():
    (phones,) = [one for one in BOOK.agreements if one.id == "phones"]
    ended = replace(phones, terminates_ms=CALL_MS + 10 * MINUTE_MS)
    (closing,) = [
        one
        for _, _, one in Plan(Book((ended,), 1)).closings("call")
        if one.window == Window("tumbling", 15 * MINUTE_MS)
    ]
    assert closing.close_ms(Span(CALL_MS, CALL_MS + 15 * MINUTE_MS)) == CALL_MS + 25 * MINUTE_MS
    assert closing.close_ms(Span(CALL_MS - 15 * MINUTE_MS, CALL_MS)) == CALL_MS + 15 * MINUTE_MS
