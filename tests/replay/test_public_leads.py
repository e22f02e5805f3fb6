"""The public sales pipeline: what a replay finds equals an independent computation over the CSV file."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import ceil

import pytest

from monitor.core.objectives.status import WindowStatus
from monitor.core.time.units import HOUR_MS
from monitor.replay.files import replay_files
from monitor.replay.local import ReplayResult
from tests.replay import oracle
from tests.replay.public_data import AGREEMENTS, MAPPINGS, data_file

pytestmark = pytest.mark.data

PIPELINE = "leads_maven_crm/sales_pipeline.csv.gz"
GOAL_CENTS = 100_000_000


@pytest.fixture(scope="module")
def result() -> ReplayResult:
    return replay_files(
        [data_file(PIPELINE)],
        MAPPINGS / "maven_pipeline.yaml",
        AGREEMENTS / "maven-sales.yaml",
        step_ms=7 * 24 * HOUR_MS,
    )


@pytest.fixture(scope="module")
def expected() -> list[oracle.Opportunity]:
    return oracle.opportunities(data_file(PIPELINE))


def value(status: WindowStatus, indicator: str) -> float | None:
    return next(one.value for one in status.figures if one.indicator == indicator)


def month_of(status: WindowStatus) -> str:
    return datetime.fromtimestamp(status.from_ms / 1000, UTC).strftime("%Y-%m")


def test_counts_win_rate_revenue_and_average_deal_of_the_whole_are_those_of_the_lines(result, expected):
    figures = next(one for one in result.whole if one.series.measure == "pipeline")
    stages = Counter(one.stage for one in expected)
    cents = sum(one.cents for one in expected if one.stage == "Won")

    assert result.reading.rows == 8_800
    assert result.reading.reasons() == {}
    assert result.subjects == {"lead": 8_800 - stages["Prospecting"]}
    assert figures.figure("created").value == 8_300
    assert (figures.figure("won").value, figures.figure("lost").value) == (stages["Won"], stages["Lost"])
    assert figures.figure("revenue").value == cents / 100
    assert figures.figure("average_deal").value == pytest.approx(cents / 100 / stages["Won"])
    assert figures.figure("close_rate").value == pytest.approx(stages["Won"] / 8_300)
    assert figures.live["open"] == stages["Engaging"]


def test_each_month_and_quarter_states_its_deliveries_wins_and_revenue(result, expected):
    for window, label in (("month", lambda day: day[:7]), ("quarter", lambda day: (day[:4], (int(day[5:7]) - 1) // 3))):
        engaged = Counter(label(one.engaged) for one in expected if one.engaged)
        won = Counter(label(one.closed) for one in expected if one.stage == "Won")
        cents: Counter[object] = Counter()
        for one in expected:
            if one.stage == "Won":
                cents[label(one.closed)] += one.cents
        stated = {
            label(datetime.fromtimestamp(one.from_ms / 1000, UTC).date().isoformat()): one
            for one in result.statements
            if one.series.measure == "pipeline" and one.window == window
        }
        last = max([*engaged, *won])
        assert set(stated) == {one for one in {*engaged, *won} if one != last}
        for period, status in stated.items():
            assert value(status, "delivered") == (engaged[period] or None)
            assert value(status, "customers") == (won[period] or None)
            assert (value(status, "revenue") or 0) * 100 == pytest.approx(cents[period])


def test_each_month_recomputes_the_leads_needed_from_what_happened_in_it(result, expected):
    for status in result.statements:
        if status.series.measure != "pipeline" or status.window != "month":
            continue
        month = month_of(status)
        delivered = sum(one.engaged[:7] == month for one in expected)
        cents = [one.cents for one in expected if one.stage == "Won" and one.closed[:7] == month]
        again = None
        if delivered and cents:
            rate, deal = len(cents) / delivered, sum(cents) / len(cents)
            again = ceil(round(GOAL_CENTS / deal / rate, 6))
        assert value(status, "leads_needed") == 834  # 1,000,000 / 2,400 / 50 %, rounded up once
        assert value(status, "leads_needed_now") == again


def test_the_pace_of_a_closed_month_is_delivered_against_all_of_its_working_days(result, expected):
    for status in result.statements:
        if status.series.measure == "pipeline" and status.window == "month":
            delivered = sum(one.engaged[:7] == month_of(status) for one in expected)
            assert value(status, "needed_to_date") == pytest.approx(834)
            assert value(status, "pace") == pytest.approx(delivered / 834)


def test_wins_and_losses_by_product_and_month_of_engagement(result, expected):
    by_product = {one.series.values[0]: one for one in result.whole if one.series.measure == "products" and one.labels}
    products = Counter(one.product for one in expected if one.engaged)
    assert {name: one.figure("created").value for name, one in by_product.items()} == products
    for name, one in by_product.items():
        wins = [opportunity for opportunity in expected if opportunity.product == name and opportunity.stage == "Won"]
        assert one.figure("won").value == len(wins)
        assert one.figure("revenue").value * 100 == sum(win.cents for win in wins)


COHORTS = """
agreement: cohorts
version: 1
valid_from: 2016-01-01
name: Cohorts
form: service
provider: Sales
customer: Each other
service: Leads
status: accepted
accepted_by: Head of Sales
accepted_on: 2016-01-01
zone: UTC
covers: {source: [pipeline]}
contacts: [{role: sales, email: sales@example.com}]
leads:
  - {id: pipeline, follow_up: 732h, close_within: 90d, by: [], windows: [month]}
objectives:
  - {id: told-soon, of: pipeline, indicator: follow_up, target: 50 %, windows: month}
  - {id: won-in-time, of: pipeline, indicator: matured_close_rate, target: 30 %, windows: month}
"""


def test_each_months_cohort_is_stated_whole_once_its_span_is_over(expected, tmp_path):
    """Given leads that wait for their outcome, when months close, then who fails later counts as who succeeds early."""
    agreement = tmp_path / "cohorts.yaml"
    agreement.write_text(COHORTS)
    result = replay_files([data_file(PIPELINE)], MAPPINGS / "maven_pipeline.yaml", agreement, step_ms=24 * HOUR_MS)

    def days(one: oracle.Opportunity) -> int:
        return (date.fromisoformat(one.closed) - date.fromisoformat(one.engaged)).days if one.closed else 10**6

    found = {(one.window, month_of(one)): one for one in result.statements}
    assert len(found) == len(result.statements), "each once"
    for cohort, objective, indicator, span, kept in (
        ("month+follow_up", "told-soon", "follow_up", 30.5, lambda one: days(one) <= 30),
        ("month+close", "won-in-time", "matured_close_rate", 90, lambda one: one.stage == "Won" and days(one) <= 90),
    ):
        months = sorted(month for window, month in found if window == cohort)
        until = datetime.fromtimestamp(result.until_ms / 1000, UTC)
        over = {
            one.engaged[:7]
            for one in expected
            if one.engaged and _next_month(one.engaged) + timedelta(days=span, minutes=15) <= until
        }
        assert set(months) == over
        for month in months:
            leads = [one for one in expected if one.engaged[:7] == month]
            figure = next(one for one in found[cohort, month].figures if one.indicator == indicator)
            assert (figure.numerator, figure.denominator) == (sum(map(kept, leads)), len(leads))
            verdicts = {one.objective: one.verdict for one in found["month", month].verdicts}
            assert verdicts[objective] == "provisional"


def _next_month(day: str) -> datetime:
    first = datetime.fromisoformat(f"{day[:7]}-01T00:00:00+00:00")
    return (first + timedelta(days=32)).replace(day=1)
