"""The table of indicators holds for every indicator: the core makes each figure of it, and no other.

The metrics of the table are in ``tests/metrics/test_catalogue.py``, its promises in
``tests/config/agreements/test_indicator_promises.py``.
"""

from dataclasses import replace
from typing import get_args

import pytest

from monitor.core.agreements.indicators import INDICATORS, KIND_OF, NAMED, by_name, check_complete
from monitor.core.agreements.lead_measure import Goal, LeadRule
from monitor.core.agreements.measures import CallRule, CompositeRule, CustomerTerms, MeasureKind, OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.calls.figures import call_figures
from monitor.core.clocks.figures import clock_figures
from monitor.core.leads.figures import lead_figures
from monitor.core.objectives.verdicts import judge
from monitor.core.outages.customers import Counting
from monitor.core.outages.figures import outage_figures
from monitor.core.series.figures import Figure
from monitor.core.series.series import OutageRecord, empty_pane
from monitor.core.tickets.figures import ticket_figures
from monitor.core.time.spans import Span
from monitor.core.time.windows import Window
from tests.core.stories import agreement, ms

MINUTE_MS = 60_000
SERVED = 1_000
MONTH = Span(ms("Mon 00:00") - 86_400_000, ms("Mon 00:00") + 30 * 86_400_000)
LEADS = LeadRule(id="leads", goal=Goal(sales={"month": 1}, share=1.0, average_deal=1, close_rate=1.0))
TERMS = CustomerTerms(major_days="fixed", major_saidi_ms=86_400_000)
OUTAGES = {
    "O-1": OutageRecord("outage", ms("Mon 01:00"), restored_ms=ms("Mon 02:00"), customers=((ms("Mon 01:00"), 90),)),
    "O-2": OutageRecord(
        "outage", ms("Mon 05:00"), acknowledged_ms=ms("Mon 06:00"), responded_ms=ms("Mon 06:00"),
        weights=((ms("Mon 05:00"), 0.5),), customers=((ms("Mon 05:00"), 90),),
    ),
    "O-3": OutageRecord(
        "outage", ms("Mon 07:00"), restored_ms=ms("Mon 07:01"), resolved_ms=ms("Mon 07:02"),
        customers=((ms("Mon 07:00"), 90),),
    ),
    "B-1": OutageRecord("blind", ms("Mon 03:00"), restored_ms=ms("Mon 04:00")),
}  # fmt: skip


def of_outages(now="Mon 12:00", rule=None):
    return outage_figures(
        rule or OutageRule(id="o", customers=TERMS), OUTAGES.items(), ms("Mon 00:00"), ms("Tue 00:00"), ms(now), None,
        Counting(TERMS, SERVED, "UTC", lambda *_: ()),
    )  # fmt: skip


MADE = {
    "clock": clock_figures(empty_pane()._replace(counts={"late_ms": 0}), 0),
    "call": call_figures(CallRule(id="calls", answer_within_ms=20_000), empty_pane()),
    "outage": of_outages(),
    "lead": lead_figures(LEADS, agreement(LEADS), empty_pane(), "month", MONTH, MONTH.end_ms),
    "ticket": ticket_figures(empty_pane()),
}


@pytest.mark.parametrize("kind", get_args(MeasureKind))
def test_the_core_makes_every_figure_of_the_table_in_its_order_and_unit_and_no_other(kind):
    found = [(one.indicator, one.unit) for one in MADE[kind]]

    assert found == [(name, one.unit) for name, one in INDICATORS[kind].items()]


def test_a_composite_service_has_the_figures_that_need_nothing_of_the_agreement():
    found = of_outages(rule=CompositeRule(id="o", parts=(("web",),)))

    assert [one.indicator for one in found] == [name for name, one in INDICATORS["outage"].items() if not one.needs]


def test_the_figures_that_grow_are_those_that_change_while_nothing_happens():
    # O-2 still degrades the service at noon and a minute later: of each minute half is up and half is down.
    before, after = of_outages(), of_outages("Mon 12:01")

    changed = {one.indicator for one, other in zip(before, after, strict=True) if one.value != other.value}
    assert changed == {name for name, one in INDICATORS["outage"].items() if one.grows}
    assert not any(one.grows for kind in INDICATORS if kind != "outage" for one in INDICATORS[kind].values())


@pytest.mark.parametrize("name", NAMED)
def test_the_sample_of_an_indicator_decides_whether_a_small_one_is_judged(name):
    one = NAMED[name]
    promise = Objective(
        id="o", measure="m", indicator=name, comparison=one.comparison, target=0.5, windows=(Window("month"),),
        minimum_sample=10,
    )  # fmt: skip
    figures = [Figure(name, 0.5, 1, 2, one.unit, "")]
    if name != "failures":
        figures.append(Figure("failures", 7, 7, 1, "count", ""))
    else:
        promise, figures = replace(promise, target=7), [Figure(name, 7, 7, 1, "count", "")]

    found = judge(promise, figures, 5, calendar=False, closed=True)
    assert found.sample == {"denominator": 2, "promised": 2, "durations": 5, "failures": 7}[one.sample]
    assert found.verdict == ("met" if one.sample in {"promised", "failures"} else "low_sample")


def test_an_objective_on_a_figure_that_the_table_does_not_have_is_an_error():
    promise = Objective(id="o", measure="m", indicator="haste", comparison=">=", target=1, windows=(Window("month"),))

    with pytest.raises(KeyError, match="haste"):
        judge(promise, [Figure("haste", 1, 1, 1, "count", "")], 1, calendar=False, closed=True)


def test_a_name_that_several_kinds_share_belongs_to_none_of_them():
    assert (KIND_OF["compliance"], KIND_OF["asa"], KIND_OF["depth"]) == ("clock", "call", "lead")
    assert {"mean", "p50", "longest", "lost"} <= NAMED.keys() - KIND_OF.keys()


def test_the_same_name_with_other_facts_is_an_error():
    wrong = {**INDICATORS, "lead": {**INDICATORS["lead"], "lost": INDICATORS["lead"]["won"]}}

    with pytest.raises(ValueError, match="lost of a lead has other facts"):
        by_name(wrong)


def test_a_kind_of_measure_without_indicators_is_an_error():
    with pytest.raises(ValueError, match="no indicators of outage"):
        by_name({kind: indicators for kind, indicators in INDICATORS.items() if kind != "outage"})


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({**INDICATORS, "clock": ["mean"]}, "compliance of a clock"),
        ({kind: names for kind, names in INDICATORS.items() if kind != "lead"}, "won of a lead"),
        ({**INDICATORS, "call": [*INDICATORS["call"], "haste"]}, "differ: haste of a call$"),
    ],
)
def test_entries_beside_the_table_that_are_not_its_own_are_an_error(entries, told):
    with pytest.raises(ValueError, match=told):
        check_complete("the gauges", entries)

    check_complete("the gauges", INDICATORS)
