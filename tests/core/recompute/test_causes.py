"""Why what was judged differs from what is recomputed."""

from monitor.core.facts.events import Event, Fact
from monitor.core.objectives.status import WindowStatus
from monitor.core.recompute.causes import Arrived, Cause, clock_cause, out_of_order, period_cause
from monitor.core.recompute.differences import NOTHING, Announced, ClockDifference, ClockId, PeriodDifference, PeriodId
from monitor.core.series.series import SeriesKey
from tests.core.stories import ms

CLOCK = ClockId("ticket", "T-1", "desk", "resolution", 1)
JUDGED = Announced((ms("Mon 13:00"),), versions=(1,), told_ms=ms("Mon 13:00"))
PERIOD = PeriodId(SeriesKey("desk", "resolution", ()), "day", ms("Mon 00:00"))


def arrived(event_id, happened, arrived_at):
    return Arrived(Event("ticket", "T-1", Fact(ms(happened), 0, event_id, "resolved", {})), ms(arrived_at))


def differs(one=JUDGED, other=NOTHING):
    return ClockDifference(CLOCK, one, other)


def test_a_clock_that_is_recomputed_by_another_version_differs_for_the_agreement():
    late = arrived("e1", "Mon 12:00", "Mon 14:00")
    assert clock_cause(differs(), {CLOCK: 2}, [late]) == Cause("agreement", (1, 2))
    assert clock_cause(differs(), {}, [late]) == Cause("agreement", (1, -1))


def test_a_breach_that_was_judged_differs_for_what_came_after_it_was_told_and_happened_before():
    found = [
        arrived("in time", "Mon 12:00", "Mon 12:00"),
        arrived("late", "Mon 12:30", "Mon 14:00"),
        arrived("new", "Mon 15:00", "Mon 15:00"),
    ]
    assert clock_cause(differs(), {CLOCK: 1}, found) == Cause("late_events", events=("late",))
    assert clock_cause(differs(), {CLOCK: 1}, found[:1]) == Cause("unknown")


def test_a_breach_that_was_not_judged_differs_for_what_came_out_of_its_order():
    found = [
        arrived("a", "Mon 10:00", "Mon 10:00"),
        arrived("c", "Mon 12:00", "Mon 12:00"),
        arrived("b", "Mon 11:00", "Mon 12:01"),
        arrived("d", "Mon 12:00", "Mon 12:02"),
    ]
    assert [one.event.fact.id for one in out_of_order(found)] == ["b"]
    assert clock_cause(differs(NOTHING, JUDGED), {}, found) == Cause("late_events", events=("b",))
    assert clock_cause(differs(NOTHING, JUDGED), {}, found[:2]) == Cause("unknown")


def stated(version):
    return WindowStatus(
        PERIOD.series, {}, "day", ms("Mon 00:00"), ms("Tue 00:00"), ms("Tue 02:00"), version, (), (), {}, closed=True
    )


def period(one, other):
    return PeriodDifference(PERIOD, one, other, (), ())


def test_a_period_differs_for_its_version_or_for_what_came_after_it_was_stated():
    found = [
        arrived("in time", "Mon 12:00", "Mon 12:00"),
        arrived("late", "Mon 12:30", "Tue 03:00"),
        arrived("late", "Mon 12:30", "Tue 04:00"),
        arrived("of the next", "Tue 01:00", "Tue 03:00"),
    ]
    written_ms = ms("Tue 02:00")
    assert period_cause(period(stated(1), stated(2)), written_ms, found) == Cause("agreement", (1, 2))
    assert period_cause(period(stated(1), stated(1)), written_ms, found) == Cause("late_events", events=("late",))
    assert period_cause(period(stated(1), None), written_ms, found) == Cause("late_events", events=("late",))
    assert period_cause(period(stated(1), stated(1)), written_ms, found[:1]) == Cause("unknown")


def test_what_was_not_stated_yet_has_no_known_cause():
    assert period_cause(period(None, stated(1)), None, []) == Cause("unknown")
    assert period_cause(period(stated(1), stated(1)), None, []) == Cause("unknown")
