"""Clocks of agreement files: what the metrics of a ticket need and refuse."""

import pytest

from monitor.config.agreements.checking import parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.measures import Budget
from monitor.core.time.units import HOUR_MS
from monitor.errors import ConfigError
from tests.replay.desk import HEAD


def clock(rest):
    text = f"agreement: desk\nclocks:\n  - {{id: one, targets: {{'*': 4h}}, {rest}}}\n{HEAD}"
    (document,) = parse_documents(text.encode(), "desk.yaml", [])
    return parse_document(document.data).agreement.clocks[0]


def test_a_map_of_pauses_names_the_reasons_and_the_caps_of_some():
    rule = clock("metric: resolution, pause_on: {waiting_for_customer: 5h, change_freeze: }")

    assert rule.pause_on == {"waiting_for_customer", "change_freeze"}
    assert rule.pause_caps == {"waiting_for_customer": 5 * HOUR_MS}


@pytest.mark.parametrize("pause_on", ["waiting_for_customer", "[waiting_for_customer]"])
def test_a_list_of_pauses_has_no_caps(pause_on):
    rule = clock(f"metric: resolution, pause_on: {pause_on}")

    assert (rule.pause_on, rule.pause_caps) == ({"waiting_for_customer"}, {})


def test_states_decide_what_pauses_a_clock_that_they_drive():
    assert clock("metric: agent_work").pause_on == frozenset()
    assert clock("metric: time_in, states: waiting").pause_on == frozenset()
    assert clock("metric: requester_wait").pause_on == {"waiting_for_customer"}
    assert clock("metric: requester_wait, pause_on: customer").pause_on == {"customer"}


def of_record(rest):
    text = f"agreement: desk\nclocks:\n  - {{id: one, {rest}}}\n{HEAD}"
    (document,) = parse_documents(text.encode(), "desk.yaml", [])
    return parse_document(document.data).agreement.clocks[0]


def test_a_clock_may_take_its_due_instant_from_the_record():
    rule = of_record("metric: resolution, due_at: due_at, calendar: always, at_risk: [75%, 30m], pauses_move_due: true")

    assert (rule.due_at, rule.pauses_move_due, rule.strict) == ("due_at", True, False)
    assert rule.budgets == {"*": Budget(0, "always")}
    assert of_record("metric: first_response, due_at: response_due_at").pauses_move_due is False
    assert clock("metric: resolution, strict: true").strict


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("metric: resolution", "has no targets"),
        ("metric: resolution, due_at: due_at, targets: {'*': 4h}", "has both targets and due_at"),
        (
            "metric: resolution, due_at: dueat",
            "is no attribute that brings a due instant: 'dueat' (did you mean 'due_at'?)",
        ),
        ("metric: time_in, states: waiting, due_at: due_at", "time in states is an amount: it has no due instant"),
        ("metric: resolution, due_at: due_at, pause_on: {x: 1h}", "caps are of pauses that move the due instant"),
        ("metric: resolution, due_at: due_at, on_change: prorated", "a due instant is the record's own"),
        ("metric: resolution, targets: {'*': 4h}, pauses_move_due: true", "pauses always move a target"),
    ],
)
def test_what_a_due_instant_of_the_record_cannot_go_with_is_refused(rest, told):
    with pytest.raises(ConfigError, match=r"clocks") as caught:
        of_record(rest)

    assert told in str(caught.value)


def test_cycles_and_series_follow_from_the_metric():
    assert clock("metric: resolution_gross").cycles == clock("metric: resolution_net").cycles == "sum"
    assert clock("metric: ownership").by == ("team",)
    assert clock("metric: ownership, by: service").by == ("service",)
    assert clock("metric: next_response, cycles: sum").cycles == "sum"


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("metric: time_in", "time_in needs states"),
        ("metric: time_in, states: [asigned]", "is no state of a ticket: 'asigned' (did you mean 'assigned'?)"),
        ("metric: time_in, states: ['waiting:']", "is no state of a ticket: 'waiting:'"),
        ("metric: time_in, states: [closed]", "a ticket stays closed: the clock would never stop"),
        ("metric: resolution, states: [new]", "resolution has its own states"),
        ("metric: agent_work, states: [new]", "agent_work has its own states"),
        ("metric: agent_work, pause_on: {customer: 5h}", "a clock that states drive has no caps"),
        ("metric: ownership, cycles: sum", "ownership knows only 'each'"),
        ("metric: resolution_net, cycles: last", "resolution_net knows only 'sum'"),
        ("metric: resolution, pause_on: {customer: 0s}", "must be longer than 0"),
        ("metric: resolution, on_change: later", "on_change"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(rest, told):
    with pytest.raises(ConfigError, match=r"clocks") as caught:
        clock(rest)

    assert told in str(caught.value)
