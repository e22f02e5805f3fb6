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
from monitor.core.series.series import SeriesKey
from monitor.core.subjects.effects import Effects
from monitor.core.subjects.engine import SourceEngine
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
  - {id: summed, metric: resolution, targets: {P1: 8h, "*": 48h}, cycles: sum, by: [], windows: [day, month]}
  - {id: last, metric: resolution, targets: {P1: 8h}, cycles: last, by: [priority], windows: [day]}
  - {id: changed, metric: resolution, targets: {P1: 8h, "*": 48h}, on_change: from_change, by: [], windows: [day]}
  - {id: recorded, metric: resolution, due_at: due_at, by: [], windows: [day]}
""",
    """
agreement: sales
clocks:
  - {id: follow-up, subject: lead, metric: follow_up, targets: {"*": 1h}, by: [team], windows: [day, month]}
leads:
  - {id: funnel, by: [], give_up_after: 20d, windows: [day, month]}
""",
    """
agreement: network
outages:
  - {id: sites, by: [service], windows: [day, month]}
""",
)
STORIES: dict[Subject, tuple[str, tuple[str, ...], int]] = {
    "call": ("queued", ("answered", "abandoned", "held", "retrieved", "ended"), 40),
    "ticket": (
        "opened",
        ("acknowledged", "responded", "paused", "resumed", "resolved", "reopened", "closed", "cancelled",
         "priority_changed"),
        4_000,
    ),
    "outage": ("started", ("acknowledged", "restored", "resolved"), 24 * 60),
    "lead": ("created", ("handed_over", "attempted", "contacted", "qualified", "disqualified", "won", "lost"), 4_000),
}  # fmt: skip
CARRIED = {
    "opened": ("priority", ("P1", "P2")),
    "priority_changed": ("priority", ("P1", "P2")),
    "queued": ("queue", ("a", "b")),
    "started": ("service", ("core",)),
    "handed_over": ("team", ("north", "south")),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to some subjects of each kind in three months, all events in the order in which they happened."""
    events = []
    for subject, (first, later, apart) in STORIES.items():
        for number in range(draw(st.integers(0, 2))):
            at_ms = BEGAN_MS + draw(st.integers(0, 50 * 24 * 60)) * MINUTE_MS
            # A call that ends twice, before and after a close, is handled at its second end only: a known fault.
            course = draw(st.lists(st.sampled_from(later), max_size=4, unique=subject == "call"))
            for place, kind in enumerate([first, *course]):
                name, values = CARRIED.get(kind, ("", ()))
                attributes = {name: draw(st.sampled_from(values))} if name else {}
                if kind == "queued":
                    attributes["caller"] = "one"
                if kind in {"opened", "priority_changed", "reopened"} and draw(st.booleans()):
                    attributes["due_at"] = at_ms + draw(st.integers(-60, 90 * 60)) * MINUTE_MS
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


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a shrink takes minutes
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


# -- stories: facts that rewrite what clocks counted in periods that have closed


def ticket(*facts: tuple[str, str, dict[str, object]]) -> list[Event]:
    return [
        Event("ticket", "ticket-1", Fact(ms(f"2024-03-{at}"), 0, f"{kind}-{at}", kind, brought))
        for at, kind, brought in facts
    ]


def of_days(statements: object, measure: str, *values: str) -> dict[int, tuple[float, float]]:
    """Promises kept, of those that count, by the day of the month."""
    found = {}
    for (series, window, from_ms), one in statements.items():
        if (series.measure, series.values, window) == (measure, values, "day"):
            compliance = next(figure for figure in one.figures if figure.indicator == "compliance")
            if compliance.denominator:
                found[1 + (from_ms - BEGAN_MS) // DAY_MS] = compliance.numerator, compliance.denominator
    return found


OPENED = ("04T08:00:00", "opened", {"priority": "P1"})


def test_a_ticket_that_is_cancelled_days_later_was_breached_until_then():
    stated = all_ways(ticket(OPENED, ("07T08:00:00", "cancelled", {})))
    assert of_days(stated, "each") == {4: (0, 1), 5: (0, 1), 6: (0, 1)}


def test_a_ticket_that_is_cancelled_before_the_close_of_its_day_counts_nowhere():
    stated = all_ways(ticket(OPENED, ("05T00:10:00", "cancelled", {})))
    assert of_days(stated, "each") == {}


def test_another_priority_judges_a_stop_anew_but_not_in_the_statement_of_its_day():
    stated = all_ways(
        ticket(OPENED, ("04T20:00:00", "resolved", {}), ("09T08:00:00", "priority_changed", {"priority": "P2"}))
    )
    assert of_days(stated, "summed") == {4: (0, 1)}
    assert of_days(stated, "last", "P1") == {4: (0, 1)}


def test_another_priority_is_known_where_the_day_has_not_closed_yet():
    stated = all_ways(
        ticket(OPENED, ("04T20:00:00", "resolved", {}), ("05T00:05:00", "priority_changed", {"priority": "P2"}))
    )
    assert of_days(stated, "summed") == {4: (1, 1)}


def test_a_tighter_target_breaks_nothing_in_days_that_were_stated():
    opened = ("04T08:00:00", "opened", {"priority": "P2"})
    stated = all_ways(
        ticket(opened, ("05T20:00:00", "priority_changed", {"priority": "P1"}), ("07T08:00:00", "resolved", {}))
    )
    assert of_days(stated, "summed") == {5: (0, 1), 6: (0, 1), 7: (0, 1)}


def test_a_reopened_clock_that_is_summed_had_stopped_in_the_statement_of_its_first_day():
    stated = all_ways(
        ticket(
            OPENED,
            ("04T10:00:00", "resolved", {}),
            ("06T08:00:00", "reopened", {}),
            ("06T09:00:00", "resolved", {}),
        )
    )
    assert of_days(stated, "summed") == {4: (1, 1), 6: (1, 1)}
    assert of_days(stated, "last", "P1") == {4: (1, 1), 6: (1, 1)}


def test_after_a_silence_a_day_of_which_all_became_known_after_its_close_is_passed_over():
    def of_one(number: int, *facts: tuple[str, str, dict[str, object]]) -> list[Event]:
        made = [Fact(ms(f"2024-{at}:00"), 0, f"{kind}-{at}", kind, brought) for at, kind, brought in facts]
        return [Event("ticket", f"ticket-{number}", one) for one in made]

    stated = all_ways(
        [
            *of_one(1, ("03-01T08:00", "opened", {"priority": "P1"}), ("03-01T09:00", "resolved", {})),
            *of_one(
                2,
                ("04-15T08:00", "opened", {"priority": "P2"}),
                ("04-15T09:00", "resolved", {}),
                ("04-20T08:00", "priority_changed", {"priority": "P1"}),
            ),
            *of_one(3, ("05-01T08:00", "opened", {"priority": "P1"}), ("05-01T09:00", "resolved", {})),
        ]
    )

    assert of_days(stated, "last", "P1") == {1: (1, 1), 62: (1, 1)}
    assert (SeriesKey("desk", "last", ("P1",)), "day", ms("2024-04-15T00:00:00")) not in stated


def test_an_amendment_states_the_first_part_of_a_period_without_what_was_cancelled_before_its_close():
    one = book(
        """
agreement: desk
clocks:
  - {id: each, metric: resolution, targets: {"*": 8h}, by: [], windows: [week]}
"""
    ).agreements[0]
    (clock,) = one.clocks
    longer = replace(clock, budgets={"*": replace(clock.budgets["*"], budget_ms=9 * HOUR_MS)})
    two = replace(one, version=2, valid_from_ms=ms("2024-03-06T00:00:00"), clocks=(longer,))
    worker = Worker(agreements=Book((one, two), 1))
    kept = [one._replace(subject_id="ticket-2") for one in ticket(OPENED, ("04T09:00:00", "resolved", {}))]
    worker.take([*kept, *ticket(OPENED, ("08T08:00:00", "cancelled", {}))], END_MS)
    worker.look(END_MS)
    parts = [one.figures[0] for one in worker.stated if one.from_ms < ms("2024-03-11T00:00:00")]
    assert [(one.numerator, one.denominator) for one in parts] == [(1, 1), (0, 0)]


def test_a_fact_out_of_order_gives_the_statements_of_the_order_in_which_things_happened():
    opened, cancelled = ticket(OPENED, ("07T08:00:00", "cancelled", {}))
    (changed,) = ticket(("05T20:00:00", "priority_changed", {"priority": "P2"}))
    straight = worked_off([opened, changed, cancelled], [], looks=False)
    assert worked_off([opened, cancelled, changed], [1, 2], looks=False) == straight


def test_what_was_overdue_after_a_silence_is_stated_though_its_pane_expires_before_the_next_statement():
    """In a replay the pane of the due instant waits to be judged, and its source drops it meanwhile."""
    first_ms, second_ms = ms("2024-03-01T18:18:00"), ms("2024-03-13T03:15:00")
    due_after = {"ticket-0": HOUR_MS, "ticket-1": 10 * HOUR_MS}
    opened = [
        Event("ticket", name, Fact(at_ms, 0, name, "opened", {"priority": "P1", "due_at": at_ms + due_after[name]}))
        for name, at_ms in (("ticket-0", first_ms), ("ticket-1", second_ms))
    ]
    cancelled = Event("ticket", "ticket-0", Fact(first_ms + 3 * DAY_MS, 0, "over", "cancelled", {}))

    stated = all_ways([opened[0], cancelled, opened[1]])

    overdue = [place for place in stated if place[1] == "tumbling-12h" and place[2] >= second_ms]
    assert len(overdue) > 2 * 50
