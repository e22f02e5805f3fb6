"""For how long no verdict on outages can change without an event: bounds that are never too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.budget_rule import BudgetRule
from monitor.core.agreements.objectives import Objective
from monitor.core.outages.turning import NEVER, steady_ms
from monitor.core.series.figures import Figure, quotient
from monitor.core.time.windows import Window

MONTH, ROLLING = Window("month"), Window("rolling", 86_400_000)


def objective(
    indicator: str, target: float, at_risk: float | None = None, *, budget: BudgetRule | None = None
) -> Objective:
    lower = indicator in ("downtime", "failures", "mttr_restore", "saidi")
    return Objective(
        id="o", measure="m", indicator=indicator, comparison="<=" if lower else ">=", target=target, at_risk=at_risk,
        windows=(MONTH,), budget=budget,
    )  # fmt: skip


def availability(up_ms: float, promised_ms: float) -> Figure:
    return quotient("availability", up_ms, promised_ms, "ratio", "")


@pytest.mark.parametrize(
    ("of", "figure", "calendar", "any_open", "steady"),
    [
        # 99 of 100 s up: with 90 % promised it takes 10 s of downtime more to reach 90 %.
        (objective("availability", 0.9), availability(99_000, 100_000), True, True, 9_999),
        (objective("availability", 0.9), availability(99_000, 100_000), True, False, NEVER),
        (objective("availability", 0.9), availability(99_000, 100_000), False, False, 8_999),
        (objective("availability", 0.9, 0.98), availability(99_000, 100_000), True, True, 1_019),
        # 80 of 100 s up: 100 s more of time up make it 90 %.
        (objective("availability", 0.9), availability(80_000, 100_000), True, True, 99_999),
        (objective("availability", 1.0), availability(80_000, 100_000), True, True, NEVER),
        (objective("availability", 0.0), availability(80_000, 100_000), True, True, NEVER),
        (objective("availability", 0.9), availability(0, 0), True, True, None),
        (objective("downtime", 60_000), Figure("downtime", 50_000, 50_000, 10**6, "ms", ""), True, True, 9_999),
        (objective("downtime", 60_000), Figure("downtime", 50_000, 50_000, 10**6, "ms", ""), True, False, NEVER),
        (objective("downtime", 60_000), Figure("downtime", 70_000, 70_000, 10**6, "ms", ""), True, True, NEVER),
        (objective("downtime", 60_000), Figure("downtime", 70_000, 70_000, 10**6, "ms", ""), False, False, 9_999),
        (objective("mtbf", 10_000), quotient("mtbf", 15_000, 2, "ms", ""), True, True, 4_999),
        (objective("mtbf", 10_000), quotient("mtbf", 25_000, 2, "ms", ""), True, True, NEVER),
        (objective("mtbf", 10_000), quotient("mtbf", 25_000, 0, "ms", ""), True, True, NEVER),
        (objective("mtbf", 10_000), quotient("mtbf", 25_000, 2, "ms", ""), False, True, None),
        (objective("failures", 2), Figure("failures", 1, 1, 10**6, "count", ""), True, True, NEVER),
        (objective("failures", 2), Figure("failures", 1, 1, 10**6, "count", ""), False, True, None),
        (objective("mttr_restore", 2), quotient("mttr_restore", 0, 0, "ms", ""), True, True, NEVER),
        (objective("saidi", 2), quotient("saidi", 1, 1, "ms", ""), True, True, None),
        (objective("coverage", 0.9), availability(1, 1), True, True, None),  # no such figure
    ],
)
def test_a_verdict_is_known_to_stay_until(of, figure, calendar, any_open, steady):
    assert steady_ms([of], [figure], calendar=calendar, any_open=any_open) == steady


def test_the_nearest_objective_decides_and_budgets_are_not_foreseen():
    up = availability(99_000, 100_000)
    both = [objective("availability", 0.9), objective("availability", 0.95)]

    assert steady_ms(both, [up], calendar=True, any_open=True) == 4_209
    assert steady_ms([], [up], calendar=True, any_open=True) == NEVER
    budget = BudgetRule(period=MONTH)
    assert steady_ms([objective("availability", 0.9, budget=budget)], [up], calendar=True, any_open=True) is None


@pytest.mark.parametrize("indicator", ["failures", "mtbf", "mttr_restore"])
def test_before_any_time_was_promised_nobody_knows_when_a_verdict_changes(indicator):
    """An outage of the night: it is judged when the office opens, without any event."""
    night = [Figure("failures", None, 1, 0, "count", ""), quotient(indicator, 0, 0, "ms", "")]

    assert steady_ms([objective(indicator, 1)], night, calendar=True, any_open=False) is None


@given(st.integers(1, 10**9), st.data(), st.sampled_from([0.5, 0.9, 0.99, 0.9995, 1.0]), st.booleans())
def test_no_course_of_time_up_and_down_changes_the_verdict_earlier(promised_ms, data, target, calendar):
    """Each millisecond is up or down, and in a rolling window another one that was up or down leaves."""
    up_ms = data.draw(st.integers(0, promised_ms))
    of, before = objective("availability", target), availability(up_ms, promised_ms)
    steady = steady_ms([of], [before], calendar=calendar, any_open=True)
    passed = data.draw(st.integers(0, int(min(steady, 10**9)) if calendar else min(int(steady), promised_ms)))
    more_up = data.draw(st.integers(0, passed))
    if calendar:
        after = availability(up_ms + more_up, promised_ms + passed)
    else:
        up_left = data.draw(st.integers(max(0, passed - (promised_ms - up_ms)), min(passed, up_ms)))
        after = availability(up_ms + more_up - up_left, promised_ms)

    assert of.is_beyond(after.value, target) == of.is_beyond(before.value, target)
