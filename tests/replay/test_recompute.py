"""Two verdicts: as judged, and as recomputed with what is known by now."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event, Value
from monitor.core.recompute.causes import Arrived, Cause
from monitor.core.series.series import rest_of
from monitor.replay.local import run_replay
from monitor.replay.recompute import Judged, Recomputed, recompute
from monitor.replay.simulate import as_if_accepted
from tests.core.test_statements_law import HOUR_MS, Worker
from tests.replay.desk import book, event, ms

DESK = """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 2h}, at_risk: [], by: [], windows: [day]}
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: ">= 90 %", windows: day}
"""
END_MS = ms("2024-03-03T00:00:00")


def ticket(subject_id: str, kind: str, at: str, **attributes: Value) -> Event:
    return event("ticket", subject_id, kind, at, **attributes)


OPENED, ANSWERED = ticket("T-1", "opened", "09:00:00"), ticket("T-1", "resolved", "10:30:00")
LATE = ticket("T-2", "opened", "09:00:00"), ticket("T-2", "resolved", "12:00:00")


def arrived(*events: Event, by: str | None = None) -> list[Arrived]:
    """Events that arrived as they happened, or all at an instant."""
    return [Arrived(one, one.fact.time_ms if by is None else ms(by)) for one in events]


def judged(events: Sequence[Event], of: Book, by: str = "2024-03-02T06:00:00") -> Judged:
    """What a worker announced that knew these events, each alert when it became true."""
    result = run_replay(events, of, until_ms=ms(by))
    return Judged(
        alerts=[(one, one.at_ms) for one in result.alerts], statements=[(one, ms(by)) for one in result.statements]
    )


def compared(of: Judged, events: list[Arrived], agreed: Book, **more: object) -> Recomputed:
    return recompute(of, events, agreed, until_ms=more.pop("until_ms", END_MS), **more)


def test_nothing_differs_where_all_was_known_in_time():
    found = compared(judged([OPENED, ANSWERED, *LATE], book(DESK)), arrived(OPENED, ANSWERED, *LATE), book(DESK))

    assert (found.clocks, found.periods, found.not_kept) == ([], [], 0)
    assert (found.compared_clocks, found.compared_periods) == (2, 1)


def test_a_late_event_that_disproves_an_announced_breach_is_a_difference_and_its_cause():
    #  09:00 opened ─── 10:30 resolved (told next day) ─── 11:00 due, announced as breached
    seen = judged([OPENED, *LATE], book(DESK))
    events = [*arrived(OPENED, *LATE), *arrived(ANSWERED, by="2024-03-02T12:00:00")]

    found = compared(seen, events, book(DESK))

    ((difference, verdict, cause),) = found.clocks
    assert (difference.clock.subject_id, difference.one.breached_ms) == ("T-1", (ms("2024-03-01T11:00:00") + 1,))
    assert (difference.other.breached_ms, verdict) == ((), "met")
    assert cause == Cause("late_events", events=(ANSWERED.fact.id,))
    (period,) = found.periods
    (compliance,) = [one for one in period.difference.figures if one.indicator == "compliance"]
    assert (compliance.one.numerator, compliance.one.denominator) == (0, 2)
    assert (compliance.other.numerator, compliance.other.denominator) == (1, 2)
    assert period.cause == Cause("late_events", events=(ANSWERED.fact.id,))


def test_an_amended_agreement_is_the_cause_where_it_judges_differently():
    amended = DESK.replace('"*": 2h', '"*": 4h') + "version: 2\n"
    events = arrived(OPENED, ANSWERED, *LATE)

    found = compared(judged([one.event for one in events], book(DESK)), events, book(amended))

    assert [(one.difference.clock.subject_id, one.verdict, one.cause) for one in found.clocks] == [
        ("T-2", "met", Cause("agreement", (1, 2)))
    ]
    (period,) = found.periods
    assert [one[1:] for one in period.difference.verdicts] == [("breached", "met")]
    assert period.cause == Cause("agreement", (1, 2))


def test_an_agreement_that_holds_no_more_promised_nothing():
    elsewhere = DESK.replace("agreement: desk", "agreement: other\ncovers: {customer: nobody}")
    found = compared(judged(LATE, book(DESK)), arrived(*LATE), book(elsewhere))

    assert [(one.verdict, one.cause) for one in found.clocks] == [("none", Cause("agreement", (1, -1)))]
    assert [(one.difference.other, one.cause) for one in found.periods] == [(None, Cause("unknown"))]


def test_a_breach_that_nobody_announced_is_a_difference():
    found = compared(Judged(), arrived(*LATE), book(DESK))

    assert [(one.difference.one.breached_ms, one.verdict, one.cause.kind) for one in found.clocks] == [
        ((), "breached", "unknown")
    ]
    assert [(one.difference.one, one.cause.kind) for one in found.periods] == [(None, "unknown")]


def test_an_event_out_of_order_is_the_cause_of_a_breach_that_nobody_announced():
    reopened = ticket("T-1", "reopened", "10:00:00")
    events = [*arrived(OPENED, ticket("T-1", "resolved", "15:00:00")), Arrived(reopened, ms("2024-03-02T00:00:00"))]

    (found,) = compared(Judged(), events, book(DESK)).clocks

    assert found.cause == Cause("late_events", events=(reopened.fact.id,))


def test_what_was_judged_by_events_that_are_kept_no_more_is_not_compared():
    seen = judged([OPENED, *LATE], book(DESK))
    kept_from_ms = ms("2024-03-01T11:00:00")

    found = compared(seen, arrived(*LATE), book(DESK), kept_from_ms=kept_from_ms)

    assert (found.clocks, found.periods) == ([], [])
    assert found.not_kept == 2  # the clock of T-1, and the day


@pytest.mark.parametrize(
    "asked", [{"agreement": "other"}, {"from_ms": END_MS}, {"until_ms": ms("2024-03-01T10:59:00")}], ids=str
)
def test_what_is_not_asked_for_is_not_listed(asked: dict[str, object]):
    found = compared(judged(LATE, book(DESK)), arrived(OPENED, ANSWERED), book(DESK), **asked)

    assert (found.clocks, found.periods) == ([], [])


def test_a_priority_that_changed_after_the_breach_is_no_late_event():
    """It was announced, and taken back, by the events in their order: recomputing says the same."""
    urgent = DESK.replace('{"*": 2h}', "{P1: 2h, P2: 8h}")
    events = [
        ticket("T-1", "opened", "09:00:00", priority="P1"),
        ticket("T-1", "priority_changed", "12:00:00", priority="P2"),
    ]
    found = compared(judged(events, book(urgent)), arrived(*events), book(urgent), until_ms=ms("2024-03-02T06:00:00"))

    assert found.clocks == []


def test_burn_alerts_are_of_series_and_no_clocks_to_be_compared():
    budgeted = book(DESK.replace("windows: day}\n", "windows: day, budget: {minimum_events: 1}}\n"))
    events = arrived(*LATE)
    announced = judged(LATE, budgeted)
    assert {alert.key.kind for alert, _ in announced.alerts} >= {"burn"}

    found = recompute(announced, events, budgeted, until_ms=END_MS)

    assert (found.clocks, found.periods, found.not_kept, found.compared_clocks) == ([], [], 0, 1)


def test_what_was_stated_together_with_others_is_counted_and_not_compared():
    seen = judged([OPENED, ANSWERED, *LATE], book(DESK))
    (statement, at_ms) = seen.statements[0]
    one = statement._replace(series=statement.series._replace(values=("P1",)))
    together = Judged(alerts=seen.alerts, statements=[(one._replace(series=rest_of(one.series)), at_ms)])

    found = compared(together, arrived(OPENED, ANSWERED, *LATE), book(DESK))

    assert (found.periods, found.in_rest) == ([], 1)


def test_an_agreement_that_ended_before_it_was_first_evaluated_makes_no_difference():
    ended = book(DESK + "\nterminates: 2024-03-03T12:00:00Z\n")
    events = [
        *(event("ticket", f"T{day}", kind, f"2024-03-0{day}T{hour}", priority="P1") for day in (1, 2, 3)
          for kind, hour in (("opened", "09:00"), ("resolved", "09:30"))),
    ]  # fmt: skip
    worker = Worker(agreements=ended)
    worker.take(events, ms("2024-05-01T00:00:00"))
    worker.look(ms("2024-05-01T00:00:00"))

    days = [one for one in worker.stated if one.window == "day"]
    assert [one.to_ms - one.from_ms for one in days] == [24 * HOUR_MS, 24 * HOUR_MS, 12 * HOUR_MS]
    judged = Judged(statements=[(one, one.as_of_ms) for one in worker.stated])
    arrived = [Arrived(one, one.fact.time_ms) for one in events]
    assert recompute(judged, arrived, ended, until_ms=ms("2024-05-01T00:00:00")).periods == []


def test_a_simulation_ends_where_the_agreement_says_that_it_ends():
    ended = book(DESK + "\nterminates: 2024-03-02T12:00:00Z\n")
    began_ms = ms("2024-03-01T00:00:00")
    events = [event("ticket", f"T{day}", kind, f"2024-03-0{day}T{hour}", priority="P1") for day in (1, 3)
              for kind, hour in (("opened", "09:00"), ("resolved", "09:30"))]  # fmt: skip
    found = run_replay(events, as_if_accepted(ended, began_ms), until_ms=ms("2024-03-08T00:00:00"))
    assert {one.subject_id for one in found.records} == {"T1"}
    assert max(one.to_ms for one in found.statements) == ms("2024-03-02T12:00:00")
