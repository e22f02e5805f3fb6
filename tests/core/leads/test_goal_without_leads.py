"""A month that was promised leads and brought none: 0 delivered and the pace behind, from the first working day on."""

from dataclasses import replace

import pytest

from monitor.core.agreements.lead_measure import Goal, LeadRule
from monitor.core.agreements.objectives import Objective
from monitor.core.time.windows import Window
from tests.core.stage import HOUR_MS, MONTH, Stage
from tests.core.stories import agreement, ms, when

# 10,000.00 x 50 % / 100.00 / 50 % = 100 leads a month; March 2026 has 22 working days, and Sunday the 1st is none.
GOAL = LeadRule(
    id="goal",
    windows=(Window("day"), MONTH),
    goal=Goal(sales={"month": 1_000_000}, share=0.5, average_deal=10_000, close_rate=0.5, calendar="office"),
)
BEHIND = Objective(id="pace", measure="goal", indicator="pace", comparison=">=", target=0.9, windows=(MONTH,))
ENOUGH = Objective(id="enough", measure="goal", indicator="delivered", comparison=">=", target=100, windows=(MONTH,))


def marketing(*measures, **more):
    return agreement(*(measures or (GOAL,)), objectives=(BEHIND, ENOUGH), **more)


def owning(*agreements):
    return Stage(*agreements, owns=lambda _: True)


def month_of(stage):
    return next(status for (_, window), status in stage.evaluator.latest.items() if window == "month")


def figures(status):
    return {one.indicator: one.value for one in status.figures}


def test_a_campaign_with_a_goal_is_shown_without_a_lead_and_one_without_a_goal_is_not():
    spring, rest = GOAL.goal, replace(GOAL.goal, sales={"month": 500_000})
    split = replace(GOAL, goal=None, by=("campaign",))
    campaigns = owning(marketing(replace(split, goals={"spring": spring, "*": rest}))).look("Mon 12:00")

    shown = {series.values: figures(status) for (series, window), status in campaigns.evaluator.latest.items()
             if window == "month"}  # fmt: skip
    assert {values: found["leads_needed"] for values, found in shown.items()} == {("spring",): 100}
    assert split.of_series(("spring",)) is split, "no goals: nothing depends on the series"
    of_others = replace(split, goals={"*": rest})
    assert (of_others.of_series(("autumn",)).goal, of_others.of_series(()).goal) == (rest, rest)


def test_before_a_working_day_is_over_nothing_is_delivered_and_nothing_needed_yet():
    found = figures(month_of(owning(marketing()).look("Mon 12:00")))

    assert (found["delivered"], found["pace"], found["leads_needed"]) == (0, None, 100)


def test_after_the_first_working_day_the_pace_is_behind_and_an_alert_says_so():
    stage = owning(marketing()).look("Mon 12:00").until("Tue 00:00")

    found = figures(month_of(stage))
    assert found["needed_to_date"] == pytest.approx(100 / 22)
    assert (found["delivered"], found["pace"]) == (0, 0)
    assert [(one.key.promise, one.state, when(one.at_ms)) for one in stage.alerts] == [
        ("enough", "breached", "Mon 12:00"),
        ("pace", "breached", "Tue 00:00"),
    ]


def test_the_month_is_stated_with_nothing_delivered():
    stage = owning(marketing()).look("Mon 12:00")
    found = stage.evaluator.evaluate(ms("Mon 12:00") + 31 * 24 * HOUR_MS, stage.book)

    [month] = [one for one in found.statuses if one.closed and one.window == "month"]
    assert (figures(month)["delivered"], figures(month)["pace"]) == (0, 0)
    assert {one.objective: one.verdict for one in month.verdicts} == {"pace": "breached", "enough": "breached"}


def test_leads_without_a_goal_are_not_foreseen():
    funnel = LeadRule(id="goal", windows=(MONTH,))

    assert owning(marketing(funnel)).look("Tue 12:00").evaluator.latest == {}


def test_another_partition_does_not_show_the_goal():
    assert Stage(marketing(), owns=lambda _: False).look("Tue 12:00").evaluator.latest == {}


def test_a_goal_that_ends_with_its_agreement_is_shown_no_more():
    stage = owning(marketing(terminates_ms=ms("Wed 00:00"))).look("Mon 12:00").until("Thu 00:00")

    assert stage.evaluator.latest == {}
    assert "".join(stage.ended).count("month") == 1
