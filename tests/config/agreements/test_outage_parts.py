"""Outages in agreement files: customers, weights, beginnings and composite services, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.core.agreements.measures import CompositeRule, CustomerTerms, OutageRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check
    from monitor.core.agreements.agreement import Agreement

    Checked = Callable[..., Check]

HEAD = """\
agreement: network
version: 1
valid_from: 2026-01-01
name: Network
form: service
provider: us
customer: them
service: network
status: draft
zone: Europe/London
contacts: [{role: on-call, name: us, phone: "+44 1"}]
"""
MINUTE = 60_000


def built(checked: Checked, text: str) -> Agreement:
    check = checked(HEAD + text)
    assert check.mistakes == ()
    agreement = check.documents[0].agreement
    assert agreement is not None
    return agreement


def outage_rule(checked: Checked, text: str) -> OutageRule:
    (rule,) = built(checked, "outages:\n  - " + text).outages
    return rule


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        ("120000", CustomerTerms(served={"*": 120_000})),
        ("{served: 120000, momentary: 1m}", CustomerTerms(served={"*": 120_000}, momentary_ms=MINUTE)),
        ("{served: {a: 1, b: 2}}", CustomerTerms(served={"a": 1, "b": 2})),
        ("{major_event_days: beta}", CustomerTerms(major_days="beta")),
        ("{major_event_days: 30m}", CustomerTerms(major_days="fixed", major_saidi_ms=30 * MINUTE)),
        ("{accrues: time}", CustomerTerms(accrues="time")),
        ("{}", CustomerTerms()),
    ],
)
def test_customers_are_counted_as_the_file_says(checked: Checked, written: str, terms: CustomerTerms) -> None:
    assert outage_rule(checked, f"{{id: o, customers: {written}}}").customers == terms


def test_weights_and_beginnings_are_those_of_the_file(checked: Checked) -> None:
    rule = outage_rule(checked, "{id: o, weights: {sev1: 1, sev2: 0.5}, since: {a: 2026-07-01}}")

    assert rule.weights == {"sev1": 1.0, "sev2": 0.5}
    assert rule.since_ms == {"a": 1_782_860_400_000}, "midnight in London, in summer"
    assert rule.customers is None


def test_a_composite_service_is_an_outage_measure_with_one_series(checked: Checked) -> None:
    (rule,) = built(checked, "composites:\n  - {id: portal, series: [web], redundant: [[a, b]]}").outages

    assert isinstance(rule, CompositeRule)
    assert (rule.parts, rule.by) == ((("web",), ("a", "b")), ())
    assert rule.where.matches({"service": "b"})
    assert not rule.where.matches({"service": "c"})


def test_an_average_of_interruptions_is_no_whole_number(checked: Checked) -> None:
    text = "outages:\n  - {id: o, customers: 10}\nobjectives:\n"
    objective = "  - {id: p, of: o, indicator: saifi, target: '<= 1.25 interruptions'}"

    (promise,) = built(checked, text + objective).objectives

    assert (promise.target, promise.comparison) == (1.25, "<=")


OBJECTIVE = "objectives:\n  - {id: p, of: o, indicator: %s, target: %s}\n"
MISTAKES = {
    "no number of customers": ("outages: [{id: o, customers: many}]", "customers: must be a whole number"),
    "nobody is served": ("outages: [{id: o, customers: 0}]", "customers: must be at least 1"),
    "a weight beyond 1": ("outages: [{id: o, weights: {sev1: 2}}]", "weights.sev1"),
    "no rule for major event days": ("outages: [{id: o, customers: {major_event_days: gamma}}]", "major_event_days"),
    "customers of a value that is left out": (
        "outages: [{id: o, where: {service: [a]}, customers: {served: {b: 1}}}]",
        "customers: names service 'b', which where leaves out",
    ),
    "a beginning where nothing is split": (
        "outages: [{id: o, by: [], since: {a: 2026-02-01}}]",
        "since: names values, but the figures are not split",
    ),
    "customers are not counted": (
        "outages: [{id: o}]\n" + OBJECTIVE % ("saidi", "1h"),
        "saidi is no figure of 'o' (add customers to the measure: how many are served)",
    ),
    "no major event days": (
        "outages: [{id: o, customers: 9}]\n" + OBJECTIVE % ("saidi_net", "1h"),
        "saidi_net is no figure of 'o' (add major_event_days",
    ),
    "half a failure": (
        "outages: [{id: o}]\n" + OBJECTIVE % ("failures", "'<= 1.5 interruptions'"),
        "target: must be a whole number",
    ),
    "a composite service of nothing": ("composites: [{id: o}]", "composites[0]: is made of nothing"),
    "a service in two parts": (
        "composites: [{id: o, series: [a], redundant: [[a, b]]}]",
        "service 'a' stands in two parts",
    ),
    "redundancy of one": ("composites: [{id: o, redundant: [[a]]}]", "redundant[0]"),
    "an unknown calendar": ("composites: [{id: o, series: [a], service_hours: office}]", "there is no calendar"),
    "two measures of one id": ("outages: [{id: o}]\ncomposites: [{id: o, series: [a]}]", "'o' is used twice"),
    "a figure that composite services do not have": (
        "composites: [{id: o, series: [a]}]\n" + OBJECTIVE % ("mttr_restore", "1h"),
        "mttr_restore is no figure of 'o' (composite services have availability, coverage, downtime, failures, mtbf)",
    ),
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_path_and_hint(checked: Checked, text: str, told: str) -> None:
    check = checked(HEAD + text)

    assert any(told in str(one) for one in check.mistakes), [str(one) for one in check.mistakes]


def test_a_service_that_is_silent_for_too_long_is_blind_where_the_agreement_says_so(checked: Checked) -> None:
    text = """\
outages: [{id: services, blind_after: 10m}, {id: trusted}]
composites: [{id: portal, series: [web, db], blind_after: 15m}]
"""
    assert [one.blind_after_ms for one in built(checked, text).outages] == [600_000, 0, 900_000]


def of_customers(check: Check) -> list[str]:
    return [str(one) for one in check.warnings if "are served" in str(one)]


@pytest.mark.parametrize(
    ("measure", "indicator", "target", "told"),
    [
        ("customers: {}", "saifi", "<= 2 interruptions", "does not say how many are served: without customers_total"),
        ("customers: {}", "caidi", "<= 2h", ""),
        ("customers: {}", "availability", ">= 99 %", ""),
        ("customers: 10", "saidi", "<= 2h", ""),
        ("customers: {served: {a: 1}}, where: {service: [a]}", "saidi", "<= 2h", ""),
        ("customers: {served: {a: 1}}, where: {service: [a, b, c]}", "saidi", "<= 2h", "are served of b, c: saidi has"),
        ("customers: {served: {a: 1, '*': 2}}, where: {service: [a, b]}", "saidi", "<= 2h", ""),
        ("customers: {served: {a: 1}}", "saidi", "<= 2h", ""),
        ("customers: {served: {'*': 1}}, where: {service: [a, b]}, by: []", "saidi", "<= 2h", ""),
        ("customers: {}, by: []", "maifi", "<= 2 interruptions", "does not say how many are served"),
    ],
)  # fmt: skip
def test_promises_about_customers_whose_number_nothing_names_are_warned_of(
    checked: Checked, measure: str, indicator: str, target: str, told: str
) -> None:
    objective = f"  - {{id: p, of: o, indicator: {indicator}, target: '{target}', windows: month}}\n"

    check = checked(f"{HEAD}outages:\n  - {{id: o, {measure}}}\nobjectives:\n{objective}")

    assert check.mistakes == ()
    assert [told in one for one in of_customers(check)] == [True] * bool(told)


def test_what_the_agreement_covers_narrows_the_services_whose_customers_must_be_named(checked: Checked) -> None:
    outages = "outages:\n  - {id: o, customers: {served: {a: 1}}, where: {service: [a, b]}}\n"
    objectives = "objectives:\n  - {id: p, of: o, indicator: saidi, target: '<= 2h', windows: month}\n"

    assert of_customers(checked(f"{HEAD}covers: {{service: a}}\n{outages}{objectives}")) == []
    assert len(of_customers(checked(f"{HEAD}covers: {{service: [a, b]}}\n{outages}{objectives}"))) == 1
