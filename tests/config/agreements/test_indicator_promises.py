"""Every indicator of the table as an objective of an agreement file: direction, unit, and the parts that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from monitor.config.agreements.agreement_shape import ObjectiveShape
from monitor.config.agreements.objective_build import objective
from monitor.core.agreements.indicators import INDICATORS, Needs
from monitor.core.agreements.lead_measure import Goal, LeadRule
from monitor.core.agreements.measures import CallRule, ClockRule, CompositeRule, CustomerTerms, OutageRule
from monitor.core.agreements.ticket_measure import TicketRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.measures import Measure, MeasureKind
    from monitor.core.agreements.objectives import Objective

HOUR_MS = 3_600_000
GOAL = Goal(sales={"month": 100}, share=1.0, average_deal=10, close_rate=0.5)
WHOLE: dict[MeasureKind, Measure] = {
    "clock": ClockRule(id="m", subject="ticket", metric="resolution", budgets={}),
    "call": CallRule(id="m", answer_within_ms=20_000, repeat_within_ms=HOUR_MS),
    "outage": OutageRule(id="m", customers=CustomerTerms(served={"*": 10}, major_days="beta")),
    "lead": LeadRule(id="m", follow_up_within_ms=HOUR_MS, close_within_ms=HOUR_MS, activity=3, goal=GOAL),
    "ticket": TicketRule(id="m"),
}
"""Measures with everything that a figure may need."""
LACKING: tuple[tuple[Measure, set[str]], ...] = (
    (CallRule(id="m", answer_within_ms=20_000), {"repeats"}),
    (OutageRule(id="m"), {"customers", "major_days"}),
    (OutageRule(id="m", customers=CustomerTerms(served={"*": 10})), {"major_days"}),
    (CompositeRule(id="m", parts=(("web",),)), {"steps", "customers", "major_days"}),
    (LeadRule(id="m", follow_up_within_ms=HOUR_MS, close_within_ms=HOUR_MS), {"goal", "activity"}),
    (LeadRule(id="m", goal=GOAL), {"follow_up", "close", "activity"}),
)
"""Measures, and the parts that they do not have."""
AMOUNTS = {"ratio": "50 %", "ms": "1h", "count": "3", "amount": "3"}
ALL = [(kind, name) for kind, indicators in INDICATORS.items() for name in indicators]


def promised(measure: Measure, indicator: str, target: str) -> tuple[Objective | None, list[str]]:
    """Return the objective, or None, and the mistakes that were found."""
    mistakes: list[str] = []

    def told(_: Sequence[str | int], message: str, hint: str) -> None:
        mistakes.append(f"{message} ({hint})")

    shape = ObjectiveShape.model_validate({"id": "o", "of": "m", "indicator": indicator, "target": target})
    return objective(shape, [measure], told), mistakes


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_indicator_can_be_promised_in_its_own_unit_and_direction(kind: MeasureKind, name: str) -> None:
    one = INDICATORS[kind][name]
    found, mistakes = promised(WHOLE[kind], name, AMOUNTS[one.unit])

    assert mistakes == []
    assert found is not None
    assert found.comparison == one.comparison
    other = "<=" if one.comparison == ">=" else ">="
    assert promised(WHOLE[kind], name, f"{other} {AMOUNTS[one.unit]}")[1] == [
        f"of {name}, {one.better} is better (write '{one.comparison} …')"
    ]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_an_indicator_is_refused_exactly_where_the_measure_lacks_the_part_that_it_needs(
    kind: MeasureKind, name: str
) -> None:
    one = INDICATORS[kind][name]
    for measure, missing in LACKING:
        if measure.kind == kind:
            found, mistakes = promised(measure, name, AMOUNTS[one.unit])
            assert (found is None) == bool(mistakes) == (one.needs in missing), measure

    assert not one.needs or any(one.needs in missing for measure, missing in LACKING if measure.kind == kind)


def test_each_of_the_parts_is_lacking_once() -> None:
    assert set().union(*(missing for _, missing in LACKING)) == set(get_args(Needs)) - {""}
