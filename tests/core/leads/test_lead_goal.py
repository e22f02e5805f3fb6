"""Marketing's goal: how many leads the sales goal needs, by when (domain.md §6)."""

import pytest

from monitor.core.agreements.lead_measure import Goal, LeadRule
from monitor.core.agreements.objectives import Objective
from monitor.core.leads.goal import goal_period, leads_needed, leads_needed_now, needed_to_date, sales_goal
from monitor.core.series.series import Change, SeriesKey
from monitor.core.time.windows import Window
from tests.core.stage import Stage
from tests.core.stories import ALWAYS, OFFICE, agreement, ms, when

MARCH = ms("Mon 00:00") - 86_400_000, ms("Mon 00:00") + 30 * 86_400_000
LEADS = SeriesKey("desk", "leads", ())


def goal(**more):
    return Goal(**{
        "sales": {"month": 10_000_000}, "share": 0.4, "average_deal": 80_000, "close_rate": 0.05, "calendar": "office",
        **more,
    })  # fmt: skip


def test_leads_needed_are_customers_needed_by_the_close_rate():
    # 100,000 x 40 % = 40,000 of marketing; / 800 = 50 customers; / 5 % = 1,000 leads
    assert leads_needed(goal(), "month") == 1_000


def test_it_is_rounded_up_once_at_the_end():
    # 62.5 customers would be 63, and 63 / 5 % = 1,260
    assert leads_needed(goal(sales={"month": 12_500_000}), "month") == 1_250
    assert leads_needed(goal(close_rate=0.03), "month") == 1_667
    # in floating point 0.1 + 0.2 is not 0.3: these shares are the decimals that the file has
    assert leads_needed(goal(share=0.3, close_rate=0.1, average_deal=100_000), "month") == 300


def test_quarter_and_year_follow_from_the_month_or_are_agreed_on_their_own():
    assert [leads_needed(goal(), kind) for kind in ("month", "quarter", "year")] == [1_000, 3_000, 12_000]
    assert leads_needed(goal(sales={"month": 10_000_000, "quarter": 20_000_000}), "quarter") == 2_000
    assert sales_goal(goal(sales={"year": 120_000_000}), "month") == 10_000_000


def test_what_happened_gives_another_number():
    happened = {"delivered": 100_000, "customers": 5, "marketing_cents": 400_000, "total_cents": 800_000}
    # half of 100,000 from marketing, 800 a deal, 5 %: 1,250
    assert leads_needed_now(goal(), "month", **happened) == 1_250
    assert leads_needed_now(goal(), "quarter", **happened) == 3_750
    for missing in happened:
        assert leads_needed_now(goal(), "month", **{**happened, missing: 0}) is None


def test_windows_are_measured_against_the_goal_of_their_period():
    kinds = ("rolling", "day", "week", "month", "quarter", "year")
    assert [goal_period(kind) for kind in kinds] == [None, "month", "month", "month", "quarter", "year"]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("Mon 00:00", 0),  # the 1st was a Sunday
        ("Mon 23:59", 0),  # a working day counts once it is over
        ("Tue 00:00", 1_000 / 22),  # March 2026 has 22 working days
        ("Sat 00:00", 5_000 / 22),
        ("Mon+7 00:00", 5_000 / 22),  # nothing is needed on a weekend
        ("Wed+28 00:00", 1_000),
    ],
)
def test_the_goal_is_spread_over_the_working_days_of_the_month(until, expected):
    found = needed_to_date(goal(), "month", "UTC", OFFICE, MARCH[0], ms(until))
    assert found == pytest.approx(expected)


def test_a_week_across_two_months_needs_of_each_its_part():
    week = ms("Mon+28 00:00"), ms("Mon+35 00:00")  # Mon 30 March to Sun 5 April
    found = needed_to_date(goal(), "month", "UTC", OFFICE, *week)
    assert found == pytest.approx(2_000 / 22 + 3_000 / 22)


def test_a_period_without_a_working_day_needs_nothing():
    class Closed(type(ALWAYS)):
        def elapsed(self, *_):
            return 0

    assert needed_to_date(goal(), "month", "UTC", Closed(), *MARCH) == 0


class Marketing(Stage):
    """Marketing delivers, and the evaluator judges."""

    def __init__(self, *windows, **more):
        kept = Objective(
            id="on-pace", measure="leads", indicator="pace", comparison=">=", target=0.9, at_risk=1.0, windows=windows
        )
        super().__init__(agreement(LeadRule(id="leads", windows=windows, goal=goal(**more)), objectives=[kept]))

    def deliver(self, time, number):
        counts = (("created", number), ("delivered", number), ("delivered_weight", 1_000 * number))
        return self.change(Change(LEADS, ms(time), counts), "leads/0")

    def win(self, time, number, cents):
        counts = (("won", number), ("revenue", cents), ("won_marketing", number), ("revenue_marketing", cents))
        return self.change(Change(LEADS, ms(time), counts), "leads/0")


def test_the_pace_falls_at_each_end_of_a_working_day_though_no_event_comes():
    marketing = Marketing(Window("month"))
    marketing.deliver("Mon 10:00", 100).until("Tue 09:00")  # needed by then: 45.45
    assert marketing.value("pace", "month", LEADS) == pytest.approx(2.2)

    marketing.until("Thu 09:00")

    assert marketing.value("pace", "month", LEADS) == pytest.approx(100 / (3_000 / 22))
    assert marketing.told() == ["breached below_target Thu 00:00"]


def test_a_statement_shows_the_leads_needed_as_agreed_and_as_recomputed_for_month_quarter_and_year():
    marketing = Marketing(Window("month"), Window("quarter"))
    for time in ("Mon 10:00", "Mon+35 10:00", "Mon+63 10:00"):
        marketing.deliver(time, 100).win(time, 5, 400_000).until(time)
    marketing.until("Mon+126 00:00")

    stated = {
        (one.window, when(one.from_ms)): {figure.indicator: figure.value for figure in one.figures}
        for one in marketing.statements
    }
    march = stated["month", "Sun+-7 00:00"]
    assert (march["close_rate"], march["average_deal"], march["marketing_share"]) == (0.05, 800, 1)
    assert (march["leads_needed"], march["leads_needed_now"]) == (1_000, 2_500)
    assert march["needed_to_date"] == pytest.approx(1_000)
    assert march["pace"] == pytest.approx(0.1)
    quarters = [figures["leads_needed"] for (window, _), figures in stated.items() if window == "quarter"]
    assert set(quarters) == {3_000}


def test_a_day_is_judged_when_it_is_over_and_a_rolling_window_has_no_pace():
    marketing = Marketing(Window("day"), Window("rolling", 86_400_000))
    marketing.deliver("Mon 10:00", 30).until("Mon 12:00")
    assert marketing.value("pace", "day", LEADS) is None
    assert marketing.value("pace", "24h", LEADS) is None

    marketing.until("Tue 06:00")

    [monday] = marketing.statements
    assert {one.indicator: one.value for one in monday.figures}["pace"] == pytest.approx(30 / (1_000 / 22))
    assert [one.verdict for one in monday.verdicts] == ["breached"]


def test_without_a_goal_there_is_no_figure_of_it():
    stage = Stage(agreement(LeadRule(id="leads", windows=(Window("month"),))))
    stage.change(Change(LEADS, ms("Mon 10:00"), (("created", 1),)), "leads/0").look("Mon 12:00")
    assert "pace" not in [one.indicator for one in stage.latest("month", LEADS).figures]
