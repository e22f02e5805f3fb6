"""The example agreements of ticket clocks keep what their comments promise: their files, run as a replay."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event, Fact
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


def test_due_instant():
    result = run(
        "due-instant",
        ("Mon 09:00", "opened", {"due_at": ms("Tue 09:00"), "response_due_at": ms("Mon 11:00")}),
        ("Mon 10:00", "paused", {"reason": "waiting_for_customer"}),
        ("Mon 12:00", "resumed", {"reason": "waiting_for_customer"}),
        ("Mon 13:00", "responded", {}),
        ("Tue 10:00", "updated", {"due_at": ms("Wed 09:00")}),
        ("Wed 09:00", "resolved", {}),
    )

    # the answer's deadline has moved by the two office hours of the pause; that of the whole has not
    assert alerts(result) == [
        "settled/1 at_risk Tue 03:00", "settled/1 at_risk Tue 05:00", "settled/1 breached Tue 09:00",
        "settled/1 rearmed Tue 10:00", "settled/1 at_risk Tue 21:00", "settled/1 at_risk Wed 05:00",
        "settled/1 resolved Wed 09:00",
    ]  # fmt: skip
    assert {one.clock: (one.verdict, one.due_ms) for one in result.records} == {
        "settled": ("met", ms("Wed 09:00")), "answered": ("met", ms("Mon 13:00")),
    }  # fmt: skip

    undated = run("due-instant", ("Mon 09:00", "opened", {}), ("Tue 09:00", "resolved", {}))
    assert {one.verdict for one in undated.records} == {"undated"}
    assert alerts(undated) == []


def test_strict():
    """Each at the very end of its time: a ticket, a call, a lead."""
    book = book_of(
        parse_document(one.data) for one in parse_documents((PROMISES / "strict.yaml").read_bytes(), "strict.yaml", [])
    )
    told = [
        ("ticket", "T-1", "opened", "Mon 09:00:00"), ("ticket", "T-1", "resolved", "Mon 13:00:00"),
        ("call", "C-1", "queued", "Mon 09:00:00"), ("call", "C-1", "answered", "Mon 09:00:20"),
        ("lead", "L-1", "handed_over", "Mon 09:00:00"), ("lead", "L-1", "attempted", "Mon 13:00:00"),
    ]  # fmt: skip
    events = [
        Event(subject, what, Fact(ms(at), place, str(place), kind, {"customer": "acme"}))
        for place, (subject, what, kind, at) in enumerate(told)
    ]

    for strict, verdict in ((True, 0), (False, 1)):
        agreements = [
            replace(
                one,
                clocks=tuple(replace(rule, strict=strict) for rule in one.clocks),
                calls=tuple(replace(rule, strict=strict) for rule in one.calls),
                leads=tuple(replace(rule, strict=strict) for rule in one.leads),
            )
            for one in book.agreements
        ]
        result = run_replay(events, Book(tuple(agreements), 1), until_ms=ms("Fri 17:00"))
        values = {of.objective: of.value for one in result.statuses for of in one.verdicts}
        assert values == {"solved-in-time": verdict, "answered-in-time": verdict, "followed-up-in-time": verdict}


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
