"""Parts of an agreement that mean nothing are warned of: nothing can meet, miss or start them."""

import pytest

from monitor.config.agreements.checking import parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.clock_metrics import METRICS
from tests.replay.desk import HEAD


def warnings(text):
    (document,) = parse_documents(f"agreement: desk\n{text}\n{HEAD}".encode(), "desk.yaml", [])
    return [str(one) for one in parse_document(document.data).warnings]


def of_clock(rest):
    return warnings(f"clocks:\n  - {{id: one, {rest}}}")


@pytest.mark.parametrize(
    ("states", "pause_on", "never"),
    [
        ("'waiting:customer'", "customer", True),
        ("['waiting:customer', 'waiting:supplier']", "[customer, supplier, other]", True),
        ("['waiting:customer', 'waiting:supplier']", "customer", False),
        ("['waiting:customer', in_progress]", "customer", False),
        ("waiting", "customer", False),
        ("'waiting:customer'", "[]", False),
    ],
)
def test_a_clock_that_is_held_in_each_of_its_states_never_runs(states, pause_on, never):
    told = of_clock(f"metric: time_in, targets: {{'*': 4h}}, states: {states}, pause_on: {pause_on}")

    assert any("pause_on holds the clock in each of its states: it never runs" in one for one in told) == never


@pytest.mark.parametrize(
    ("targets", "where", "covers", "pointless"),
    [
        ("{P1: 1h, P3: 4h}", "{priority: [P1, P2]}", "{}", ["P3"]),
        ("{P1: 1h, '*': 4h}", "{priority: P1}", "{}", ["*"]),
        ("{P1: 1h, '*': 4h}", "{priority: [P1, P2]}", "{}", []),
        ("{P1: 1h, P2: 2h}", "{}", "{priority: P2}", ["P1"]),
        ("{P1: 1h, P2: 2h, '*': 3h}", "{priority: [P1, P2]}", "{priority: [P2, P3]}", ["P1", "*"]),
        ("{P1: 1h, '*': 4h}", "{customer: acme}", "{}", []),
    ],
)
def test_a_target_of_a_priority_that_nothing_can_have_is_warned_of(targets, where, covers, pointless):
    told = warnings(
        f"covers: {covers}\nclocks:\n  - {{id: one, metric: resolution, targets: {targets}, where: {where}}}"
    )

    found = [one for one in told if "nothing can meet or miss" in one]
    assert [f"targets.{name}" in one for name, one in zip(pointless, found, strict=True)] == [True] * len(pointless)


@pytest.mark.parametrize(
    ("indicator", "target", "decides"),
    [
        ("compliance", ">= 0 %", False), ("compliance", ">= 1 %", True), ("compliance", ">= 100 %", True),
        ("p90", "<= 1h", True),
    ],
)  # fmt: skip
def test_an_objective_that_each_figure_meets_is_warned_of(indicator, target, decides):
    told = warnings(
        "clocks:\n  - {id: one, metric: resolution, targets: {'*': 4h}}\n"
        f"objectives:\n  - {{id: kept, of: one, indicator: {indicator}, target: '{target}', windows: month}}"
    )

    assert any("nothing can miss" in one for one in told) != decides


@pytest.mark.parametrize(("target", "decides"), [("<= 100 %", False), ("<= 99 %", True), ("<= 0 %", True)])
def test_a_share_of_at_most_all_is_no_promise(target, decides):
    told = warnings(
        "calls:\n  - {id: hotline, answer_within: 20s}\n"
        f"objectives:\n  - {{id: kept, of: hotline, indicator: abandonment, target: '{target}', windows: month}}"
    )

    assert any("nothing can miss" in one for one in told) != decides


def test_a_measure_of_what_the_agreement_does_not_cover_is_warned_of():
    told = warnings(
        "covers: {customer: [acme, bolt]}\n"
        "calls:\n  - {id: hotline, answer_within: 20s, where: {customer: other}}\n"
        "clocks:\n  - {id: one, metric: resolution, targets: {'*': 4h}, where: {customer: [bolt, other]}}"
    )

    assert [one for one in told if "covers nothing" in one] == [one for one in told if "calls" in one]
    assert any("the agreement itself covers customer acme, bolt" in one for one in told)


def test_no_event_starts_and_stops_the_clock_of_a_metric():
    for metrics in METRICS.values():
        for metric in metrics.values():
            assert metric.start.isdisjoint(metric.stop)
            assert metric.restart.isdisjoint(metric.stop)
