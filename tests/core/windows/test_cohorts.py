"""Promises that outlast their period: provisional in its statement, then stated once, whole, by their cohort.

March 2026                     April                          July
├── leads are created ─────────┤ month closes: provisional    ┤ + 90 d: month+close states March's leads
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.cohorts import cohort_windows
from monitor.core.agreements.consequence_rules import Consequences, CreditRule, TerminationRule, Tier
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CustomerTerms, OutageRule
from monitor.core.clocks.terms import Plan
from monitor.core.series.series import Change, OutageRecord, SeriesKey
from monitor.core.time.periods import period_window
from monitor.core.time.windows import Window
from tests.core.stage import MONTH, Stage, promise
from tests.core.stories import DAY_MS, agreement, clock, ms, span, when

LEADS = SeriesKey("desk", "leads", ())
RULE = LeadRule(id="leads", follow_up_within_ms=span("4h"), calendar="office", windows=(MONTH,))
IN_TIME = promise(MONTH, id="in-time", measure="leads", indicator="follow_up")
RULES = Consequences(
    currency="EUR",
    fees={"desk": Decimal(1000)},
    credits=(CreditRule("in-time", "month", (Tier(0.9, Decimal("0.1")),), "desk"),),
    termination=(TerminationRule("in-time", "month", 1, 1),),
    claim_within_ms=30 * DAY_MS,
)


def terms(rule=RULE, *objectives, **more) -> Agreement:
    return agreement(rule, objectives=objectives or [IN_TIME], **more)


class Sales(Stage):
    """A sales department whose leads are handed over, followed up in time, or wait beyond the promised time."""

    def lead(self, handed: str, **counts: int):
        return self.change(Change(LEADS, ms(handed), (("handed", 1), *counts.items())))

    def verdicts(self, objective="in-time"):
        return [
            f"{one.window} from {when(one.from_ms)}: {verdict.verdict} of {verdict.sample}"
            for one in self.statements
            for verdict in one.verdicts
            if verdict.objective == objective
        ]


MARCH = "Sun-1 00:00"
"""The first of the month."""


def test_a_month_is_provisional_until_the_last_span_that_began_in_it_is_over_and_then_stated_whole():
    sales = Sales(terms()).lead("Tue 09:00", followed=1, followed_within=1).lead("Tue+28 16:00")
    sales.until("Wed+28 01:00")  # the first of April is a Wednesday; the month closes 15 minutes after its end
    assert sales.verdicts() == [f"month from {when(ms('Mon 00:00') - DAY_MS)}: provisional of 1"]
    sales.lead("Tue+28 16:00", waiting_beyond=1)

    sales.until("Wed+28 13:14")
    assert len(sales.verdicts()) == 1
    sales.until("Wed+28 13:15")  # 4 h of business of a lead that comes at midnight are over at 13:00

    assert sales.verdicts()[1:] == [f"month+follow_up from {when(ms('Mon 00:00') - DAY_MS)}: breached of 2"]
    [cohort] = [one for one in sales.statements if one.window == "month+follow_up"]
    assert [one.indicator for one in cohort.figures] == ["follow_up"], "a cohort states what outlasts its period alone"
    assert sales.until("Wed+40 00:00").verdicts() == sales.verdicts(), "once"


def test_after_a_long_stop_what_a_cap_leaves_goes_to_the_cohorts_that_could_be_judged_first():
    rules = replace(RULES, termination=(), term_cap=Decimal(150), claim_within_ms=0)
    sales = Sales(terms(replace(RULE, by=("team",)), consequences=rules))
    for team in ("a", "b"):
        for handed in ("Tue 09:00", "Tue+28 16:00", "Tue+35 09:00", "Thu+56 16:00"):
            series = LEADS._replace(values=(team,))
            sales.change(Change(series, ms(handed), (("handed", 1), ("waiting_beyond", 1))))

    sales.look("Mon+70 00:00")
    while sales.evaluator.next_ms(0) == 0:
        sales.look("Mon+70 00:00")

    of_cohorts = [one for one in sales.statements if one.window == "month+follow_up"]
    assert [(one.series.values, [each.payable for each in one.consequences]) for one in of_cohorts] == [
        (("a",), [100]), (("b",), [50]), (("a",), [0]), (("b",), [0]),
    ]  # fmt: skip


def test_it_is_stated_once_also_after_a_restart_in_between():
    sales = Sales(terms()).lead("Tue 09:00", followed=1, followed_within=1).lead("Tue+28 16:00", waiting_beyond=1)
    sales.until("Wed+28 01:00").restart().until("Wed+28 14:00").restart().until("Wed+30 00:00")

    assert [one.partition(" from")[0] for one in sales.verdicts()] == ["month", "month+follow_up"]


def test_a_credit_and_the_right_to_terminate_follow_from_the_cohort_and_are_shown_by_the_running_month():
    sales = Sales(terms(consequences=RULES)).lead("Tue 09:00", followed=1, followed_within=1)
    sales.lead("Tue+28 16:00").until("Wed+28 01:00")
    assert [one.consequences for one in sales.statements] == [()], "nobody is judged by half a cohort"
    sales.lead("Tue+28 16:00", waiting_beyond=1).until("Wed+28 14:00")

    [cohort] = [one for one in sales.statements if one.consequences]
    assert cohort.window == "month+follow_up"
    assert [(one.kind, one.amount, one.evidence.denominator) for one in cohort.consequences] == [
        ("credit", 100, 2), ("termination_right", 0, 2),
    ]  # fmt: skip
    sales.lead("Thu+28 09:00", followed=1, followed_within=1).look("Thu+28 10:00")
    assert [one.kind for one in sales.latest("month", LEADS).consequences] == ["credit", "termination_right"]


def test_a_promise_that_is_new_begins_with_the_running_month():
    """The panes of a month that is closed may be gone: its cohort would be stated in part."""
    depth = promise(MONTH, id="often", measure="leads", indicator="depth_kept")
    first = terms(replace(RULE, follow_up_within_ms=0), depth)
    sales = Sales(replace(first, objectives=())).lead("Tue 09:00", depth_leads=1, depth_kept=1).until("Thu+28 00:00")
    sales.amend(first).lead("Thu+28 09:00", depth_leads=1, depth_kept=1).until("Fri+80 00:00")

    cohorts = [one for one in sales.statements if one.window == "month+depth"]
    assert [when(one.from_ms) for one in cohorts] == ["Wed+28 00:00"]


def test_a_measure_that_is_gone_when_its_cohort_is_over_is_stated_for_the_part_in_which_it_was_promised():
    gone = replace(terms(), version=2, valid_from_ms=ms("Fri+7 00:00"), leads=(), objectives=())
    sales = Sales(terms(), gone).lead("Tue 09:00", followed=1, followed_within=1).until("Fri+40 00:00")

    assert [verdict.rpartition(": ")[2] for verdict in sales.verdicts()] == ["provisional of 1", "met of 1"]
    assert {(one.window, when(one.to_ms)) for one in sales.statements} == {
        ("month", "Fri+7 00:00"), ("month+follow_up", "Fri+7 00:00"),
    }  # fmt: skip


def test_a_month_with_an_amendment_in_it_has_a_cohort_for_each_part_and_both_are_stated_together():
    stricter = replace(terms(), version=2, valid_from_ms=ms("Mon+14 00:00"), objectives=(replace(IN_TIME, target=1.0),))
    sales = Sales(terms(), stricter).lead("Tue 09:00", followed=1, followed_within=1)
    sales.lead("Tue+28 09:00", waiting_beyond=1).until("Wed+28 14:00")

    cohorts = [one for one in sales.statements if one.window == "month+follow_up"]
    assert [(when(one.to_ms), one.parts, [v.verdict for v in one.verdicts]) for one in cohorts] == [
        ("Mon+14 00:00", 2, ["met"]), ("Wed+28 00:00", 2, ["breached"]),
    ]  # fmt: skip


def test_a_measure_states_the_cohorts_whose_span_it_sets_itself_and_those_that_objectives_promise():
    rule = replace(RULE, close_within_ms=90 * DAY_MS, windows=(MONTH, Window("rolling", DAY_MS)))
    depth = promise(Window("week"), id="often", measure="leads", indicator="depth_kept")
    names = [one.name for one in cohort_windows(terms(rule, depth), rule)]

    assert names == ["month+follow_up", "month+close", "week+follow_up", "week+close", "week+depth"]
    assert [period_window(name) and period_window(name).name for name in names] == names
    assert period_window("tumbling-4h+depth") == Window("tumbling", span("4h"), "depth")


def test_panes_are_kept_until_the_last_span_that_began_in_them_is_over():
    def keep_days(rule):
        slices = Plan(Stage(terms(rule)).book).slices("desk", "leads")
        return dict(slices.keep_ms)["day"] / DAY_MS

    plain = keep_days(replace(RULE, follow_up_within_ms=0))
    assert keep_days(replace(RULE, follow_up_within_ms=0, close_within_ms=90 * DAY_MS)) == pytest.approx(plain + 90)
    # 4 h of business after a Friday evening take the weekend, and other years may have longer holidays
    assert plain + 14 + 2 < keep_days(RULE) < plain + 14 + 4


def test_a_clock_has_no_promise_that_outlasts_its_period():
    with pytest.raises(ValueError, match="a clock has no promise 'depth'"):
        clock("resolution").span_end_ms("depth", 0, {})


class TestInterruptions:
    """A period in which an interruption began can be judged once it is over."""

    SUPPLY = OutageRule(id="supply", by=(), windows=(Window("day"),), customers=CustomerTerms(served={"*": 100}))
    OBJECTIVE = promise(Window("day"), id="power", measure="supply", indicator="saidi", comparison="<=", target=60_000)

    @staticmethod
    def out(stage, start, end=None, number=100):
        """An outage that is told, or told again with its end: the old record out, the new one in."""
        series = SeriesKey("desk", "supply", ())
        record = OutageRecord("outage", ms(start), restored_ms=0, customers=((ms(start), number),))
        if end is None:
            return stage.change(Change(series, ms(start), (), outage=(start, record)))
        stage.change(Change(series, ms(start), (), outage=(start, record), times=-1))
        return stage.change(Change(series, ms(start), (), outage=(start, record._replace(restored_ms=ms(end)))))

    def stated(self, stage):
        return [
            (one.window, when(one.from_ms), one.verdicts[0].verdict, one.verdicts[0].value)
            for one in stage.statements
            if one.window != "day" or one.verdicts[0].value
        ]

    def test_it_waits_for_the_end_and_holds_back_no_later_day(self):
        stage = Stage(agreement(self.SUPPLY, objectives=[self.OBJECTIVE])).look("Mon 12:00")
        self.out(stage, "Mon 23:00").until("Tue 22:00")
        self.out(stage, "Tue 23:00").until("Wed 02:00")
        self.out(stage, "Tue 23:00", "Wed 01:00").until("Thu 12:00").restart()
        self.out(stage, "Mon 23:00", "Thu 23:00").until("Fri 12:00")

        assert self.stated(stage) == [
            ("day", "Mon 00:00", "provisional", 75 * 60_000),
            ("day", "Tue 00:00", "provisional", 75 * 60_000),
            ("day+restored", "Tue 00:00", "breached", 2 * 3_600_000),
            ("day+restored", "Mon 00:00", "breached", 72 * 3_600_000),
        ]

    def test_a_day_whose_interruptions_are_over_when_it_closes_is_stated_once(self):
        stage = Stage(agreement(self.SUPPLY, objectives=[self.OBJECTIVE])).look("Mon 12:00")
        self.out(stage, "Mon 23:00").until("Tue 00:05")
        self.out(stage, "Mon 23:00", "Tue 00:05").until("Wed 12:00")

        assert self.stated(stage) == [("day", "Mon 00:00", "breached", 65 * 60_000)]

    def test_split_by_time_each_day_has_its_own_and_owes_nothing(self):
        split = replace(self.SUPPLY, customers=CustomerTerms(served={"*": 100}, accrues="time"))
        stage = Stage(agreement(split, objectives=[self.OBJECTIVE])).look("Mon 12:00")
        self.out(stage, "Mon 23:00").until("Tue 01:00")
        self.out(stage, "Mon 23:00", "Tue 02:00").until("Wed 12:00")

        assert self.stated(stage) == [
            ("day", "Mon 00:00", "breached", 3_600_000), ("day", "Tue 00:00", "breached", 2 * 3_600_000),
        ]  # fmt: skip

    def test_after_a_long_stop_more_cohorts_than_one_evaluation_states_follow_in_their_order(self):
        stage = Stage(agreement(self.SUPPLY, objectives=[self.OBJECTIVE])).look("Mon 00:00")
        days = [f"Mon+{number}" for number in range(12)]
        for day in days:
            self.out(stage, f"{day} 23:00")
        stage.until("Mon+13 12:00")
        for day in days:
            self.out(stage, f"{day} 23:00", "Mon+13 13:00")
        stage.until("Mon+14 12:00")

        cohorts = [one.from_ms for one in stage.statements if one.window == "day+restored"]
        assert cohorts == [ms(f"{day} 00:00") for day in days]


def test_a_promise_that_an_amendment_takes_back_for_the_past_too_owes_nothing_any_more():
    sales = Sales(terms()).lead("Tue 09:00", followed=1, followed_within=1).until("Wed+28 01:00")
    sales.amend(replace(terms(replace(RULE, follow_up_within_ms=0)), objectives=())).until("Thu+28 00:00")

    assert [one.window for one in sales.statements] == ["month"]
    assert "month+follow_up" not in "".join(map(repr, sales.rows))


def test_a_draft_states_no_cohort():
    sales = Sales(terms(status="draft")).lead("Tue 09:00", followed=1, followed_within=1).until("Thu+28 00:00")

    assert sales.statements == []
