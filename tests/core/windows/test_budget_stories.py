"""Error budgets of a series: in its statuses and statements, and the alerts that they burn too fast."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.budget_rule import BudgetRule, BurnAlert
from monitor.core.agreements.measures import CallRule, OutageRule
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey
from tests.core.stage import DAY, HOUR, P1, Stage, desk, promise
from tests.core.stories import OFFICE, agreement, ms, span

PAGE = BurnAlert(14.4, span("1h"), span("5m"), "page")
TICKET = BurnAlert(2.0, span("6h"), span("30m"), "ticket")


def budgeted(period=DAY, target=0.95, *, windows=None, measure="resolution", indicator="compliance", **rule):
    one = promise(*(windows or (period,)), target=target, measure=measure, indicator=indicator)
    return replace(one, budget=BudgetRule(period, **{"minimum_events": 4, **rule}))


def burning(*alerts, **more):
    return Stage(desk(DAY, objectives=[budgeted(alerts=alerts, **more)]))


def many(stage, time, good, bad):
    for _ in range(good):
        stage.stopped(time)
    for _ in range(bad):
        stage.stopped(time, "breached", "9h")
    return stage


def told(stage):
    return [f"{one.key.kind} {one.state} {one.reason}" for one in stage.alerts if one.key.kind == "burn"]


def budget(stage, window="day", series=P1):
    return stage.latest(window, series).budgets[0]


def test_a_status_says_how_much_of_the_budget_is_used_and_how_fast_it_goes():
    stage = many(burning(PAGE), "Mon 09:00", 36, 4).look("Mon 09:01")
    found = budget(stage)
    assert (found.unit, found.total, found.consumed, found.remaining) == ("count", 2, 4, -2)
    assert (found.consumed_share, found.exhausted) == (2, True)
    assert [(one.window, one.rate) for one in found.burns] == [("1h", 2), ("5m", 2)]


def test_a_pair_that_pages_is_breached_while_both_windows_burn_and_resolved_when_the_short_one_is_over():
    stage = many(burning(PAGE), "Mon 09:00", 1, 9).until("Mon 12:00")
    assert told(stage) == ["burn breached burns_budget", "burn resolved burns_less"]
    breached, resolved = (one for one in stage.alerts if one.key.kind == "burn")
    assert breached.key == resolved.key
    assert breached.key.text() == "burn/P1|1h+5m/desk/kept/1"
    assert breached.labels == resolved.labels
    assert (breached.labels["urgency"], breached.value, breached.target) == ("page", pytest.approx(18), 14.4)
    assert (breached.numerator, breached.denominator) == (9, 10)
    assert resolved.at_ms == ms("Mon 09:05")  # the minute of 09:00 has left the five minutes


def test_a_pair_for_a_ticket_is_told_as_a_risk():
    stage = many(burning(PAGE, TICKET), "Mon 09:00", 8, 2).look("Mon 09:01")
    assert told(stage) == ["burn at_risk burns_budget"]


def test_a_second_fire_is_another_cycle_also_after_a_restart():
    stage = many(burning(PAGE), "Mon 09:00", 1, 9).look("Mon 09:01").restart().look("Mon 09:02")
    assert told(stage) == ["burn breached burns_budget"]
    stage.until("Mon 10:30").restart()
    many(stage, "Mon 11:00", 1, 9).look("Mon 11:01")
    assert [one.key.cycle for one in stage.alerts if one.key.kind == "burn"] == [1, 1, 2]


def test_below_the_minimum_of_events_nobody_is_told():
    stage = many(burning(PAGE, minimum_events=5), "Mon 09:00", 0, 4).look("Mon 09:01")
    assert told(stage) == []
    many(stage, "Mon 09:01", 0, 1).look("Mon 09:02")
    assert told(stage) == ["burn breached burns_budget"]


def test_a_100_percent_target_alerts_at_the_first_bad_event():
    stage = many(burning(PAGE, target=1.0, minimum_events=20), "Mon 09:00", 3, 0).look("Mon 09:01")
    assert told(stage) == []
    many(stage, "Mon 09:01", 0, 1).look("Mon 09:02")
    assert told(stage) == ["burn breached burns_budget"]
    assert (budget(stage).consumed_share, budget(stage).exhausted) == (None, True)


def test_an_overdue_clock_uses_the_budget_up_before_it_stops():
    stage = many(burning(PAGE), "Mon 09:00", 9, 0).live(open=1, overdue=1).look("Mon 09:01")
    assert (budget(stage).consumed, budget(stage).burns[0].rate) == (1, 2)


def test_a_draft_shows_its_budget_and_tells_nobody():
    stage = Stage(desk(DAY, objectives=[budgeted(alerts=(PAGE,))], status="draft"))
    many(stage, "Mon 09:00", 0, 9).look("Mon 09:01")
    assert (told(stage), budget(stage).consumed) == ([], 9)


def test_an_amendment_that_drops_the_pair_ends_its_alert():
    stage = many(burning(PAGE), "Mon 09:00", 1, 9).look("Mon 09:01")
    first = stage.book.agreements[0]
    stage.amend(first, replace(first, version=2, valid_from_ms=ms("Mon 09:02"), objectives=(budgeted(),)))
    stage.look("Mon 09:03")
    assert told(stage)[-1] == "burn resolved agreement_changed"
    assert stage.alerts[-1].labels["urgency"] == "page"


def test_an_amendment_that_drops_the_measure_ends_its_alert():
    stage = many(burning(PAGE), "Mon 09:00", 1, 9).look("Mon 09:01")
    first = stage.book.agreements[0]
    stage.amend(first, replace(first, version=2, valid_from_ms=ms("Mon 09:02"), clocks=(), objectives=()))
    assert told(stage.look("Mon 09:03"))[-1] == "burn resolved agreement_changed"


def test_a_series_that_runs_empty_ends_its_alerts():
    stage = many(burning(PAGE), "Mon 09:00", 0, 9).look("Mon 09:01")
    for source, key in stage.sent:
        stage.evaluator.fold(source, key, None, stage.book)
    stage.look("Mon 09:02")
    assert told(stage)[-1].startswith("burn resolved")


def test_a_look_back_tells_nothing():
    stage = many(burning(PAGE), "Mon 09:00", 1, 9).look("Mon 09:04")
    stage.evaluator.touch_all()
    stage.look("Mon 09:01").look("Mon 09:04")
    assert told(stage) == ["burn breached burns_budget"]


def test_the_burn_windows_do_not_become_the_spread_of_the_series():
    stage = many(burning(PAGE), "Mon 09:00", 1, 1).look("Mon 09:01")
    assert [window for _, window in stage.evaluator.spreads(9)] == ["day"]


# -- calls and outages

RING = SeriesKey("desk", "ring", ())


def outage(start, end=None, name="o1"):
    record = OutageRecord("outage", ms(start), restored_ms=ms(end) if end else 0, weights=((ms(start), 1.0),))
    return Change(RING, ms(start), (), outage=(name, record))


def ring(*objectives, **rule):
    return agreement(OutageRule(id="ring", windows=(DAY,), **rule), objectives=objectives)


def test_the_budget_of_an_availability_is_that_of_the_whole_period():
    objective = budgeted(target=0.99, measure="ring", indicator="availability")
    stage = Stage(ring(objective)).change(outage("Mon 06:00", "Mon 06:10")).look("Mon 12:00")
    found = budget(stage, series=RING)
    assert (found.unit, found.total, found.consumed) == ("ms", 864_000, 600_000)
    stage.until("Tue 00:15")
    assert stage.statements[0].budgets[0] == found._replace(burns=())


def test_an_outage_burns_the_budget_of_time_and_needs_no_sample():
    objective = budgeted(target=0.99, measure="ring", indicator="availability", alerts=(PAGE,), minimum_events=999)
    opened = Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 06:00")))
    stage = Stage(ring(objective)).look("Mon 06:00").change(outage("Mon 06:00")).change(opened).until("Mon 06:20")
    assert told(stage) == ["burn breached burns_budget"]
    # 14.4 % of an hour: 8 min 38.4 s
    assert [one.at_ms for one in stage.alerts if one.key.kind == "burn"] == [ms("Mon 06:09")]
    stage.change(opened.undone()).change(outage("Mon 06:00").undone()).change(outage("Mon 06:00", "Mon 06:20"))
    stage.until("Mon 07:00")
    assert told(stage)[1:] == ["burn resolved burns_less"]
    assert stage.alerts[-1].at_ms <= ms("Mon 06:26")


def test_the_budget_of_service_hours_is_of_those_hours():
    objective = budgeted(target=0.99, measure="ring", indicator="availability")
    stage = Stage(replace(ring(objective, service_hours="office"), calendars={"office": OFFICE}))
    stage.change(outage("Mon 06:00", "Mon 09:10")).look("Mon 12:00")
    assert (budget(stage, series=RING).total, budget(stage, series=RING).consumed) == (288_000, 600_000)


def test_slices_of_an_outage_are_bad_as_a_whole():
    objective = budgeted(target=0.9, measure="ring", indicator="availability", method="timeslices", goal=0.99)
    stage = Stage(ring(replace(objective, budget=objective.budget._replace(slice_ms=span("5m"), alerts=(PAGE,)))))
    # 10 s of the slice of 06:05, all of 06:10, 4 min of 06:15; the short one keeps 90 %
    stage.change(outage("Mon 06:09:50", "Mon 06:19")).look("Mon 12:00")
    found = budget(stage, series=RING)
    assert (found.method, found.unit, found.consumed, found.total) == ("timeslices", "ms", span("10m"), 864_000)
    assert [one.rate for one in found.burns] == [0, 0]
    stage.change(outage("Mon 11:58", name="o2")).look("Mon 12:00")
    assert budget(stage, series=RING).consumed == span("15m")
    stage.until("Mon 12:30")
    assert told(stage) == ["burn breached burns_budget"]


CALLS = CallRule(id="calls", by=(), windows=(HOUR, DAY), answer_within_ms=20_000)
LINE = SeriesKey("desk", "calls", ())


def sliced_line(**more):
    objective = budgeted(
        target=0.8,
        windows=(HOUR, DAY),
        measure="calls",
        indicator="SL3",
        method="timeslices",
        goal=0.99,
        alerts=(PAGE,),
    )
    return agreement(CALLS, objectives=[objective], **more)


def call(time, within):
    counts = (("answered", 1), ("wait_ms", 9_000), *((("answered_within", 1),) if within else ()))
    return Change(LINE, ms(time), counts, 9_000)


def test_slices_of_calls_are_bad_if_their_own_figure_misses_and_good_without_one():
    stage = Stage(sliced_line())
    for time, within in (("09:00", True), ("09:01", False), ("09:02", True), ("09:02:30", False), ("09:03", True)):
        stage.change(call(f"Mon {time}", within))
    stage.look("Mon 09:10")
    assert budget(stage, series=LINE).consumed == span("2m")
    assert budget(stage, "1h", LINE).consumed == span("2m")
    assert budget(stage, series=LINE).total == 864_000


def test_a_slice_in_which_nothing_was_offered_is_good():
    stage = Stage(sliced_line()).change(Change(LINE, ms("Mon 09:00"), (("transferred", 1),))).look("Mon 09:10")
    assert budget(stage, series=LINE).consumed == 0


def test_calls_burn_the_budget_of_their_service_level():
    objective = budgeted(target=0.8, measure="calls", indicator="SL3", alerts=(PAGE._replace(burn=4.0),))
    stage = Stage(agreement(CALLS, objectives=[objective]))
    for number in range(5):
        stage.change(call("Mon 09:00", within=number == 0))
    stage.look("Mon 09:01")
    assert (told(stage), budget(stage, series=LINE).burns[0].rate) == (["burn breached burns_budget"], 4)


def test_a_settled_slice_outlives_its_panes_and_a_restart():
    stage = Stage(sliced_line()).change(call("Mon 09:00", within=False)).look("Mon 09:01")
    assert budget(stage, series=LINE).consumed == span("1m")
    stage.change(call("Mon 09:00", within=True)).change(call("Mon 09:00", within=True)).change(
        call("Mon 09:00", within=True)
    )
    stage.change(call("Mon 09:00", within=True)).look("Mon 09:02")
    assert budget(stage, series=LINE).consumed == 0  # four of five: the slice is good after all
    stage.change(call("Mon 09:00", within=False)).until("Mon 09:30").restart().until("Mon 20:00")
    assert budget(stage, series=LINE).consumed == span("1m")
    stage.until("Tue 00:15")
    assert [one.budgets[0].consumed for one in stage.statements] == [span("1m")]
    stage.until("Thu+7 00:00")
    assert not any(key[:1] == b"b" and b"\x92" in key for key in stage.rows)


@settings(deadline=None, max_examples=25)
@given(
    events=st.lists(st.tuples(st.integers(0, 1439), st.booleans(), st.integers(0, 1)), min_size=1, max_size=25),
    order=st.randoms(use_true_random=False),
    looks=st.lists(st.integers(0, 1439), max_size=4),
    restarts=st.sets(st.integers(0, 4)),
)
def test_any_order_within_lateness_and_any_restart_give_the_same_budgets(events, order, looks, restarts):
    def run(arrivals, looks, restarts):
        stage = Stage(sliced_line())
        waiting = sorted(arrivals, key=lambda one: one[0])
        for number, look in enumerate([*sorted(looks), 1439]):
            while waiting and waiting[0][0] <= look:
                _, minute, within, source = waiting.pop(0)
                stage.change(call(f"Mon {minute // 60:02}:{minute % 60:02}", within), f"calls/{source}")
            stage.until(f"Mon {look // 60:02}:{look % 60:02}")
            if number in restarts:
                stage.restart()
        for _, minute, within, source in waiting:
            stage.change(call(f"Mon {minute // 60:02}:{minute % 60:02}", within), f"calls/{source}")
        stage.until("Tue 00:30")
        return [(one.figures, one.verdicts, one.budgets) for one in stage.statements if one.window == "day"]

    in_order = [(minute, minute, within, source) for minute, within, source in events]
    late = [(minute + order.randint(0, 14), minute, within, source) for minute, within, source in events]
    assert run(late, looks, restarts) == run(in_order, [], set())


# -- the verdict of timeslices


def slices_of_line(goal=0.99, windows=(DAY,), **more):
    objective = budgeted(
        target=0.8, windows=windows, measure="calls", indicator="SL3", method="timeslices", goal=goal, minimum_events=1
    )
    return agreement(CALLS, objectives=[replace(objective, **more)])


def bad_minutes(stage, count, day="Mon", good=100):
    """So many minutes from 09:00 on have one bad call each, and one minute before them many good ones."""
    for _ in range(good):
        stage.change(call(f"{day} 08:00", within=True))
    for minute in range(count):
        stage.change(call(f"{day} 09:{minute:02}", within=False))
    return stage


def verdict(stage, window="day"):
    one = stage.latest(window, LINE).verdicts[0]
    return one.verdict, one.indicator, one.value


def test_calls_are_judged_by_their_slices_not_by_the_figure_of_the_day():
    """1 % of 1,440 minutes is 14.4 of them. The service level of the day, 100 of 115, is kept all the time."""
    stage = bad_minutes(Stage(slices_of_line()), 14).look("Mon 09:14")
    assert verdict(stage) == ("on_track", "good_slices", 1_426 / 1_440)
    stage.change(call("Mon 09:14", within=False)).look("Mon 09:15")
    assert stage.value("SL3", series=LINE) > 0.8
    assert verdict(stage) == ("breached", "good_slices", 1_425 / 1_440)
    assert stage.told("kept") == ["breached below_target Mon 09:15"]
    stage.until("Tue 00:15")
    assert [one.verdicts[0].verdict for one in stage.statements] == ["breached"]


def test_a_figure_that_misses_in_few_slices_is_no_miss():
    """Two minutes with 50 bad calls each: the service level of the day is far below its target."""
    stage = bad_minutes(Stage(slices_of_line()), 0, good=10)
    for minute in ("09:00", "09:01"):
        for _ in range(50):
            stage.change(call(f"Mon {minute}", within=False))
    assert verdict(stage.look("Mon 10:00")) == ("on_track", "good_slices", 1_438 / 1_440)
    assert stage.value("SL3", series=LINE) < 0.1


def test_a_rolling_window_is_judged_by_the_slices_in_it():
    stage = bad_minutes(Stage(slices_of_line(goal=0.9, windows=(HOUR,))), 6).look("Mon 09:20")
    assert verdict(stage, "1h")[0] == "met"
    assert verdict(bad_minutes(stage, 7, good=0).look("Mon 09:21"), "1h")[0] == "breached"
    assert verdict(stage.until("Mon 10:30"), "1h")[:2] == ("no_data", "good_slices")


def test_without_a_figure_or_with_too_small_a_sample_there_is_no_verdict_on_slices_either():
    stage = Stage(slices_of_line(minimum_sample=50)).change(Change(LINE, ms("Mon 09:00"), (("transferred", 1),)))
    assert verdict(stage.look("Mon 09:01")) == ("no_data", "good_slices", None)
    assert verdict(bad_minutes(stage, 1, good=9).look("Mon 09:02"))[0] == "low_sample"
    assert verdict(bad_minutes(stage, 20, good=0).look("Mon 10:00"))[0] == "low_sample"


def test_slices_that_must_all_be_good_are_missed_by_the_first_bad_one_whatever_the_sample():
    stage = bad_minutes(Stage(slices_of_line(goal=1.0, minimum_sample=50)), 1, good=0).look("Mon 10:00")
    assert verdict(stage)[0] == "breached"


def test_slices_are_at_risk_by_the_share_of_good_ones():
    stage = bad_minutes(Stage(slices_of_line(at_risk=0.995)), 7).look("Mon 09:07")
    assert verdict(stage)[0] == "on_track"
    assert verdict(bad_minutes(stage, 1, good=0).look("Mon 09:08"))[0] == "on_track", "the minute was bad already"
    stage.change(call("Mon 09:08", within=False)).look("Mon 09:09")
    assert verdict(stage)[0] == "at_risk"
    assert stage.told("kept") == ["at_risk near_target Mon 09:09"]


def test_an_availability_is_judged_by_its_slices_and_needs_no_sample():
    objective = budgeted(target=0.9, measure="ring", indicator="availability", method="timeslices", goal=0.999)
    stage = Stage(ring(replace(objective, minimum_sample=9))).change(outage("Mon 06:00", "Mon 06:01")).look("Mon 12:00")
    assert stage.latest("day", RING).verdicts[0].verdict == "on_track"  # 1.44 minutes may be bad
    stage.change(outage("Mon 07:00", "Mon 07:00:30", name="o2")).look("Mon 12:01")
    assert stage.latest("day", RING).verdicts[0].verdict == "breached"


def test_after_a_long_stop_each_day_is_judged_by_its_own_slices():
    """Bad slices go when no budget needs them, but not before the statements of their days."""
    without, stopped = Stage(slices_of_line()), Stage(slices_of_line())
    days = [f"Mon+{7 * week}" for week in range(4)]
    for day in days:
        bad_minutes(without, 20, day).until(f"{day} 23:59")
        bad_minutes(stopped, 20, day)
    for stage in (without, stopped):
        stage.until("Fri+28 00:00")
    judged = [[(one.from_ms, one.verdicts) for one in stage.statements] for stage in (without, stopped)]
    assert judged[0] == judged[1]
    missed = [from_ms for from_ms, verdicts in judged[0] if verdicts[0].verdict == "breached"]
    assert missed == [ms(f"{day} 00:00") for day in days]


def test_an_amendment_to_slices_judges_by_them_from_the_period_on_in_which_it_holds():
    first = replace(slices_of_line(), objectives=(budgeted(target=0.8, measure="calls", indicator="SL3"),))
    second = replace(slices_of_line(), version=2, valid_from_ms=ms("Tue 00:00"))
    stage = bad_minutes(Stage(first, second), 20).until("Tue 08:00")
    bad_minutes(stage, 20, "Tue").until("Wed 01:00")
    assert [(one.verdicts[0].indicator, one.verdicts[0].verdict) for one in stage.statements] == [
        ("SL3", "met"), ("good_slices", "breached"),
    ]  # fmt: skip
