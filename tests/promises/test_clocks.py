"""The example agreements of ticket clocks keep what their comments promise: their files, run as a replay."""

from pathlib import Path

import pytest

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.facts.events import Event
from monitor.replay.local import run_replay
from tests.core.stories import ms, span, ticket, when

PROMISES = Path(__file__).parents[2] / "deploy/promises"


def run(name, *told, until="Fri 17:00"):
    """Replay what happened to T-1 in the week of the stories: (when, type, attributes)."""
    documents = parse_documents((PROMISES / f"{name}.yaml").read_bytes(), f"{name}.yaml", [])
    book = book_of(parse_document(document.data) for document in documents)
    events = [
        Event("ticket", "T-1", ticket("T-1", kind, id=str(place), sequence=place, **more).fact._replace(time_ms=ms(at)))
        for place, (at, kind, more) in enumerate(told)
    ]
    return run_replay(events, book, until_ms=ms(until))


def alerts(result):
    return [
        f"{one.key.promise}/{one.key.cycle} {one.state} {when(one.at_ms)}"
        for one in result.alerts
        if one.key.kind == "ticket"
    ]


def records(result):
    return {
        f"{one.clock}/{one.cycle}": (one.verdict, one.elapsed_ms, one.wall_ms) for one in result.records
    }  # fmt: skip


def hours(*of):
    return tuple(span(one) for one in of)


def test_next_response():
    result = run(
        "next-response",
        ("Mon 09:00", "opened", {"priority": "P1"}),
        ("Mon 09:05", "responded", {}),
        ("Mon 10:00", "customer_replied", {}),
        ("Mon 10:30", "responded", {}),
        ("Mon 16:30", "customer_replied", {}),
        ("Tue 10:00", "responded", {}),
    )

    assert alerts(result) == [
        "next-response/1 at_risk Mon 10:30", "next-response/1 resolved Mon 10:30", "next-response/2 at_risk Mon 17:00",
        "next-response/2 breached Tue 09:30", "next-response/2 resolved Tue 10:00",
    ]  # fmt: skip
    assert records(result) == {
        "next-response/1": ("met", *hours("30m", "30m")),
        "next-response/2": ("breached", *hours("1h30m", "17h30m")),
    }
    month = next(one for one in result.statuses if one.window == "month")
    assert [(one.indicator, one.value) for one in month.figures if one.indicator == "compliance"] == [
        ("compliance", 0.5)
    ]
    assert month.figures[0].numerator == 1


def test_periodic_update():
    result = run(
        "periodic-update",
        ("Mon 09:00", "opened", {}),
        ("Mon 12:00", "updated", {"public": True}),
        ("Mon 13:00", "paused", {"reason": "waiting_for_customer"}),
        ("Mon 15:00", "resumed", {"reason": "waiting_for_customer"}),
        ("Tue 11:00", "resolved", {}),
    )

    assert alerts(result) == [
        "updates/2 at_risk Tue 09:30",
        "updates/2 breached Tue 10:00",
        "updates/2 resolved Tue 11:00",
    ]
    assert [one.verdict for one in result.records] == ["met", "breached"]


def test_priority_change():
    result = run(
        "priority-change", ("Mon 09:00", "opened", {"priority": "P3"}),
        ("Mon 17:00", "priority_changed", {"priority": "P1"}), ("Mon 20:00", "resolved", {}),
    )  # fmt: skip

    assert alerts(result) == ["prorated/1 breached Mon 19:00", "prorated/1 resolved Mon 20:00"]
    assert [(one.clock, one.verdict, when(one.due_ms)) for one in result.records] == [
        ("from-change", "met", "Mon 21:00"),
        ("prorated", "breached", "Mon 19:00"),
    ]


def test_time_in_state():
    result = run(
        "time-in-state",
        ("Mon 09:00", "opened", {}),
        ("Mon 10:00", "paused", {"reason": "waiting_for_customer"}),
        ("Mon 12:00", "resumed", {}),
        ("Mon 13:00", "paused", {"reason": "waiting_for_supplier"}),
        ("Mon 22:00", "resumed", {}),
        ("Mon 23:00", "resolved", {}),
        ("Tue 10:00", "reopened", {}),
        ("Tue 12:00", "resolved", {}),
    )

    assert alerts(result) == ["with-supplier/1 breached Mon 21:00", "with-supplier/1 resolved Mon 23:00"]
    assert records(result) == {
        "with-supplier/1": ("breached", *hours("9h", "9h")),
        "requester-wait/1": ("met", *hours("12h", "12h")),
        "requester-wait/2": ("met", *hours("2h", "2h")),
        "agent-work/1": ("met", *hours("3h", "3h")),
        "agent-work/2": ("met", *hours("2h", "2h")),
        "gross/1": ("met", *hours("16h", "27h")),
        "net/1": ("met", *hours("5h", "16h")),
    }


def test_ownership():
    result = run(
        "ownership",
        ("Mon 09:00", "opened", {"priority": "P1"}),
        ("Mon 09:00", "assigned", {"team": "service-desk"}),
        ("Mon 10:00", "assigned", {"team": "network", "agent": "Kim"}),
        ("Mon 13:00", "assigned", {"team": "storage", "agent": "Lee"}),
        ("Mon 14:00", "resolved", {}),
    )

    assert alerts(result) == [
        "ownership/1 at_risk Mon 11:30", "ownership/1 breached Mon 12:00", "ownership/1 resolved Mon 13:00",
    ]  # fmt: skip
    assert [(one.labels, one.verdict, one.contribution.agents) for one in result.records] == [
        ({"team": "network"}, "breached", {"Kim": span("3h")}),
        ({"team": "storage"}, "met", {"Lee": span("1h")}),
    ]


def test_pause_caps():
    result = run(
        "pause-caps",
        ("Mon 09:00", "opened", {}),
        ("Mon 10:00", "paused", {"reason": "waiting_for_supplier"}),
        until="Fri 09:00",
    )

    assert alerts(result) == ["resolution/1 breached Wed 17:00"]


@pytest.mark.parametrize("path", sorted(PROMISES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_short(path):
    assert len(path.read_text().splitlines()) <= 40
