"""Whether a verdict turns with what is counted (`monitor.core.objectives.by_counts`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.budget_rule import BudgetRule
from monitor.core.agreements.indicators import INDICATORS
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule
from monitor.core.agreements.objectives import Objective
from monitor.core.calls.figures import call_figures
from monitor.core.clocks.figures import clock_figures
from monitor.core.kinds import SHARES
from monitor.core.leads.figures import lead_figures
from monitor.core.objectives.by_counts import by_counts
from monitor.core.objectives.verdicts import judge
from monitor.core.series.figures import Figure
from monitor.core.series.series import Pane
from monitor.core.time.spans import NEVER_MS, Span
from monitor.core.time.windows import Window
from tests.core.stories import agreement as agreed

AGREEMENT: Agreement = agreed()
FOLLOWED = LeadRule(id="leads", follow_up_within_ms=1, close_within_ms=1, activity=1)
OFFERED = CallRule(id="calls", answer_within_ms=20_000)
MONTH, DAY = Window("month"), Window("day")
NOVEMBER = Span(1_000, 9_000)


def figures_of(kind, counts):
    pane = Pane(counts, {}, {}, {}, {})
    if kind == "clock":
        return clock_figures(pane, counts.get("overdue", 0))
    if kind == "call":
        return call_figures(OFFERED, pane)
    return lead_figures(FOLLOWED, AGREEMENT, pane, "month", Span(0, 1), 1)


def counts_of(names):
    return st.fixed_dictionaries({name: st.integers(0, 60) for name in names})


@st.composite
def shares(draw):
    kind = draw(st.sampled_from(["clock", "call", "lead"]))
    indicator = draw(st.sampled_from(sorted(SHARES[kind])))
    names = sorted(SHARES[kind][indicator])
    objective = Objective(
        id="o", measure="m", indicator=indicator, comparison=INDICATORS[kind][indicator].comparison,
        target=draw(st.sampled_from([0.0, 0.05, 0.5, 0.9, 1.0])), windows=(),
        minimum_sample=draw(st.sampled_from([1, 50])), at_risk=draw(st.sampled_from([None, 0.3, 0.97])),
    )  # fmt: skip
    return kind, objective, draw(counts_of(names)), draw(counts_of(names))


@given(shares())
def test_figure_and_verdict_after_some_counts_are_those_of_judging_anew(share):
    kind, objective, before, now = share
    (known,) = by_counts([objective], figures_of(kind, before), SHARES[kind], MONTH, NOVEMBER)

    after = known.after(before, now)

    figures = figures_of(kind, now)
    anew = next(one for one in figures if one.indicator == objective.indicator)
    assert after.figure[:4] == anew[:4]
    was, judged = (judge(objective, one, 0, calendar=True, closed=False).verdict for one in
                   (figures_of(kind, before), figures))  # fmt: skip
    assert after.turns() == (was != judged)


def promise(indicator="compliance", **more):
    return Objective(id="o", measure="m", indicator=indicator, comparison=">=", target=0.9, windows=(), **more)


def figure(indicator="compliance"):
    return Figure(indicator, 0.5, 1, 2, "ratio", "")


@pytest.mark.parametrize(
    ("objective", "of"),
    [
        pytest.param(promise("mean"), figure("mean"), id="no share"),
        pytest.param(promise("p90"), figure(), id="no such figure"),
        pytest.param(promise(budget=BudgetRule(MONTH)), figure(), id="an error budget"),
    ],
)
def test_what_follows_from_more_than_counts_is_not_known(objective, of):
    assert by_counts([objective], [of], SHARES["clock"], MONTH, NOVEMBER) is None


def test_a_period_counts_its_own_days_and_what_is_open_and_a_rolling_window_all_that_comes():
    (month,) = by_counts([promise()], [figure()], SHARES["clock"], MONTH, NOVEMBER)
    (rolling,) = by_counts([promise()], [figure()], SHARES["clock"], Window("rolling", 86_400_000), NOVEMBER)

    assert [month.counts_in("day", at_ms) for at_ms in (999, 1_000, 8_999, 9_000)] == [False, True, True, False]
    assert (month.counts_in("1m", 1_000), month.counts_in("live", 0)) == (False, True)
    assert (rolling.is_period, rolling.span) == (False, Span(1_000, NEVER_MS))
