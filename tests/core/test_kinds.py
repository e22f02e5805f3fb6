"""The kinds of measures all stand in one table (`monitor/core/kinds.py`): nothing else asks for a kind."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.agreements.lead_measure import Goal, LeadRule
from monitor.core.agreements.measures import (
    HISTORY_MS,
    MEASURE_KINDS,
    CallRule,
    CompositeRule,
    CustomerTerms,
    Measure,
    OutageRule,
    for_each_kind,
)
from monitor.core.agreements.objectives import Objective
from monitor.core.calls.repeats import repeat_item
from monitor.core.facts.events import SUBJECTS
from monitor.core.kinds import COUNTED, KINDS
from monitor.core.pieces import at_once, ready
from monitor.core.series.figures import quotient
from monitor.core.series.measured import Measured, Stretch
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey, empty_pane
from monitor.core.subjects.fast_path import CLOCKS_ONLY
from monitor.core.time.spans import Span
from monitor.core.time.units import HOUR_MS
from monitor.core.time.windows import Window
from tests.core.stage import Stage
from tests.core.stories import Story, agreement, clock, event, ms, when

MONITOR = Path(__file__).parents[2] / "monitor"
RULES = {"ClockRule", "CallRule", "OutageRule", "LeadRule", "CompositeRule", "TicketRule"}
CALLS = CallRule(id="calls", answer_within_ms=20_000, repeat_within_ms=HOUR_MS)
LEADS = LeadRule(id="leads")
SUPPLY = OutageRule(id="supply", service_hours="office")
DAY = Window("day")


def classes(of=Measure):
    return {one for sub in of.__subclasses__() if sub.__module__.startswith("monitor.") for one in {sub, *classes(sub)}}


def test_each_class_of_rules_is_of_a_kind_and_each_kind_is_in_the_table():
    assert {one.kind for one in classes()} == set(MEASURE_KINDS) == set(KINDS)
    assert {one.__name__ for one in classes()} == RULES
    assert all(KINDS[kind] is COUNTED[kind] for kind in COUNTED)


def test_each_subject_is_counted_by_a_kind_and_tickets_have_clocks_only_where_no_agreement_counts_them():
    assert set(SUBJECTS) == set(COUNTED)
    assert set(SUBJECTS) == {"ticket", "call", "outage", "lead"}
    assert [*CLOCKS_ONLY] == ["ticket"]


@pytest.mark.parametrize("kind", MEASURE_KINDS)
def test_a_table_without_a_kind_is_an_error(kind):
    with pytest.raises(TypeError, match=f"without an entry.*: {kind}$"):
        for_each_kind({one: "" for one in MEASURE_KINDS if one != kind})


def test_a_table_with_a_kind_that_there_is_not_is_an_error():
    with pytest.raises(TypeError, match=r"without a kind: survey$"):
        for_each_kind({**dict.fromkeys(MEASURE_KINDS, ""), "survey": ""})


def test_a_whole_table_comes_out_in_the_order_of_the_kinds():
    assert list(for_each_kind(dict.fromkeys(reversed(MEASURE_KINDS), ""))) == list(MEASURE_KINDS)


# --- what follows from a rule alone -----------------------------------------------------------------------------------


def test_only_clocks_have_targets_by_priority():
    assert list(clock(budgets={"P1": "4h", "*": "8h"}).priorities) == ["P1", "*"]
    assert [list(one.priorities) for one in (CALLS, LEADS, SUPPLY)] == [[], [], []]


def test_outages_are_records_and_time_and_all_others_are_sums_of_events():
    assert [one.adds_up for one in (clock(), CALLS, LEADS, SUPPLY)] == [True, True, True, False]
    assert [one.counts_time for one in (clock(), CALLS, LEADS, SUPPLY)] == [False, False, False, True]
    assert [one.sliced for one in (clock(), CALLS, LEADS, SUPPLY)] == [set(), set(), set(), {"availability"}]


def test_a_service_and_a_goal_have_figures_without_any_event():
    goal = Goal(sales={"month": 1}, share=0.5, average_deal=1, close_rate=0.5)

    assert SUPPLY.needs_no_event
    assert LeadRule(id="leads", goal=goal).needs_no_event
    assert not any(one.needs_no_event for one in (clock(), CALLS, LEADS))


def test_only_a_service_was_promised_in_hours():
    desk = agreement(clock(), CALLS, LEADS, SUPPLY, OutageRule(id="round the clock"))

    assert {one.id for one in desk.measures() if desk.hours_of(one) is not None} == {"supply"}
    assert desk.hours_of(SUPPLY) is desk.calendars["office"]


def test_a_clock_is_found_by_its_id_and_nothing_else_is():
    desk = agreement(clock(), CALLS)

    assert desk.clock("resolution") is desk.clocks[0]
    assert desk.clock("calls") is None


def test_who_calls_again_is_known_later_but_not_in_a_window_that_is_shorter():
    assert CALLS.settles_ms(Window("rolling", HOUR_MS), HOUR_MS) == HOUR_MS
    assert CALLS.settles_ms(Window("rolling", HOUR_MS // 2), HOUR_MS // 2) == 0
    assert CALLS.settles_ms(DAY, 24 * HOUR_MS) == HOUR_MS
    assert clock().settles_ms(DAY, 24 * HOUR_MS) == 0


@pytest.mark.parametrize(("days", "history_ms"), [("beta", HISTORY_MS), ("fixed", 0), ("", 0)])
def test_a_threshold_of_days_needs_five_years(days, history_ms):
    assert OutageRule(id="supply", customers=CustomerTerms(major_days=days)).history_ms == history_ms
    assert SUPPLY.history_ms == clock().history_ms == 0


def test_service_level_is_another_name_of_the_formula_that_binds():
    assert CallRule(id="calls", answer_within_ms=1, formula="SL4").aliases == {"service_level": "SL4"}
    assert clock().aliases == {}


def test_only_a_composite_service_is_made_of_others():
    assert CompositeRule(id="portal", parts=(("web",), ("db",))).parts == (("web",), ("db",))
    assert SUPPLY.parts == ()


# --- nothing but the table asks for a kind ----------------------------------------------------------------------------


def asking(tree):
    """The lines that ask of what class a rule is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            asked = node.args[1]
        elif isinstance(node, ast.MatchClass):
            asked = node.cls
        else:
            continue
        if {one.id for one in ast.walk(asked) if isinstance(one, ast.Name)} & RULES:
            yield node.lineno


def test_nobody_asks_of_what_class_a_rule_is():
    found = {
        str(file.relative_to(MONITOR))
        for file in MONITOR.rglob("*.py")
        if any(asking(ast.parse(file.read_text(encoding="utf-8"))))
    }

    assert found == set()


def test_the_search_finds_who_asks():
    asks = ["isinstance(a, LeadRule)", "isinstance(b, int | CallRule)", "isinstance(c, int)", "len(d)"]
    matches = "match e:\n    case ClockRule(): ..."

    assert list(asking(ast.parse("\n".join([*asks, matches])))) == [1, 2, 6]


# --- a kind that is only in the table ---------------------------------------------------------------------------------


class Visits(Measure):
    """Visits of a shop: another kind than any in the monitor."""

    __slots__ = ()
    kind = "lead"


class Shop:
    """The face of that kind."""

    def rules(self, agreement):
        return agreement.leads

    def story_of(self, facts):
        return [one.time_ms for one in facts if one.type == "created"]

    def changes(self, *given):
        _, facts, _, _, _, series, _, came_ms = given
        changes = [Change(series, at_ms, (("seen", 1),)) for at_ms in came_ms]
        return changes + [Change(series, LIVE, (("inside", 1),))] * (len(facts) == 1), 0

    def lasts_until_ms(self, facts):
        return facts[-1].time_ms + HOUR_MS

    def measured(self, *given):
        _, of = given
        figures = (quotient("created", of.summed().counts.get("seen", 0), 1, "count", "visitors"),)
        return ready(Measured(figures, {"inside": of.panes.live().counts.get("inside", 0)}, 0, of.shown))

    def wakes_ms(self, *given):
        _, of, live = given
        return ready([of.as_of_ms + 7 * live["inside"] * 60_000])


VISITORS = Objective(id="visitors", measure="visits", indicator="created", comparison=">=", target=1, windows=(DAY,))
SERIES = SeriesKey("desk", "visits", ())


def test_what_a_subject_and_a_window_do_is_said_by_the_table_alone(monkeypatch):
    #   Mon  09:00 A comes   09:10 B comes   09:20 B goes        both are seen, A is inside
    monkeypatch.setitem(COUNTED, "lead", Shop())
    monkeypatch.setitem(KINDS, "lead", Shop())
    shop = replace(agreement(objectives=(VISITORS,)), leads=(Visits(id="visits", windows=(DAY,)),))

    story = Story(shop, subject="lead").at("Mon 09:00", event("lead", "A", "created"))
    story.at("Mon 09:10", event("lead", "B", "created")).at("Mon 09:20", event("lead", "B", "won"))

    assert story.counts("visits", (), "day") == {"seen": 2}
    assert story.counts("visits", ()) == {"inside": 1}
    assert when(story.row("B").ended_ms) == "Mon 10:20"

    stage = Stage(shop)
    for row in (story.row("A"), story.row("B")):
        for change in row.shown:
            stage.change(change, "leads/0")
    stage.look("Mon 09:30")

    assert stage.value("created", series=SERIES) == 2
    assert stage.latest(series=SERIES).live == {"inside": 1}
    assert [(one.objective, one.verdict) for one in stage.latest(series=SERIES).verdicts] == [("visitors", "on_track")]
    assert stage.evaluator.next_ms(ms("Mon 09:30")) == ms("Mon 09:37")


# --- all of the data in one pane, and budgets -------------------------------------------------------------------------

HOUR_9 = ms("Mon 09:00")


def stretch(pane, live=None, to="Mon 17:00"):
    return Stretch(agreement(), Span(HOUR_9, ms(to)), ms(to), pane, live or empty_pane())


def whole(rule, of, values=()):
    return {one.indicator: one.value for one in KINDS[rule.kind].whole_figures(rule, of, values)}


def counted(**counts):
    return empty_pane()._replace(counts=counts)


def test_clocks_that_are_overdue_at_the_end_of_the_data_are_misses():
    found = whole(clock(), stretch(counted(met=3), counted(overdue=1)))

    assert found["compliance"] == 0.75


def test_who_called_again_is_found_in_the_one_pane_of_the_data():
    first = repeat_item("1", {"caller": "A"}, HOUR_9, 0, escalated=False)
    again = repeat_item("2", {"caller": "A"}, HOUR_9 + 60_000, 0, escalated=False)
    calls = {name: HOUR_9 + 1_000 for name, _ in (first, again)}

    found = whole(CALLS, stretch(counted(answered=2, answered_within=1)._replace(calls=calls)))

    assert found["SL1"] == 0.5
    assert found["fcr"] == 0.5


def test_leads_have_the_same_figures_in_the_whole_data_and_in_a_budget():
    of = stretch(counted(created=4))

    assert whole(LEADS, of)["created"] == 4
    assert at_once(KINDS["lead"].budget_figures(LEADS, of)) == KINDS["lead"].whole_figures(LEADS, of, ())


def test_a_service_that_began_later_has_a_shorter_period_and_all_together_do_not():
    #   Mon  09:00 ........ 13:00 ──down── 15:00 ........ 17:00       the service began at 13:00
    down = OutageRecord("outage", ms("Mon 13:00"), restored_ms=ms("Mon 15:00"))
    rule = OutageRule(
        id="supply",
        by=("service",),
        since_ms={"mail": ms("Mon 13:00")},
        customers=CustomerTerms(served={"mail": 100}),
    )
    of = stretch(empty_pane()._replace(outages={"o1": down}))

    assert whole(rule, of, ("mail",))["availability"] == 0.5
    assert whole(rule, of, None)["availability"] == 0.75
    assert whole(rule, of, None)["saidi"] == 0
    assert "saidi" not in whole(replace(rule, customers=None), of)


def test_tickets_that_lack_required_fields_are_counted_only_where_there_are_any():
    stage = Stage(agreement(clock())).stopped("Mon 09:00").live(open=1, incomplete=1).look("Mon 10:00")
    complete = stage.live(incomplete=1, times=-1).look("Mon 10:01").latest("month").live

    assert [one.live.get("incomplete") for one in stage.statuses if one.window == "month"] == [1, None]
    assert complete == {"open": 1, "paused": 0, "at_risk": 0, "overdue": 0}
