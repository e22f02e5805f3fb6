"""deploy/promises/ticket-counts.yaml keeps its word."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.agreements.checking import check_agreements, load_agreements
from monitor.core.agreements.ticket_measure import TicketRule
from monitor.core.facts.events import Event, Fact
from monitor.core.kinds import KINDS, turns_ms
from monitor.core.pieces import at_once
from monitor.core.series.measured import Stretch
from monitor.core.series.series import Pane, SeriesKey, empty_pane
from monitor.core.time.spans import Span
from monitor.core.time.windows import Window
from monitor.replay.local import run_replay
from tests.core.stories import Story, agreement, clock, event

FILE = Path(__file__).parents[2] / "deploy" / "promises" / "ticket-counts.yaml"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(f"2024-{text}+01:00").timestamp() * 1000)


def told(ticket: str, kind: str, at: str, **attributes: str) -> Event:
    attributes = {"category": "incident", **attributes}
    return Event("ticket", ticket, Fact(ms(at), 0, f"{ticket}-{kind}-{at}", kind, attributes))


def test_a_month_is_stated_with_the_tickets_that_were_opened_reopened_and_handed_over_in_it():
    """Given four tickets, one of them a request, when one is reopened twice and wanders through three teams, then:"""
    events = [
        told("T-1", "opened", "02-05T09:00", team="desk"),
        told("T-1", "assigned", "02-05T09:05", team="desk"),
        told("T-1", "assigned", "02-05T10:00", team="network"),
        told("T-1", "assigned", "02-05T11:00", team="database"),
        told("T-1", "reopened", "02-05T11:30"),  # a stray one: nobody had solved it
        told("T-1", "resolved", "02-05T12:00"),
        told("T-1", "reopened", "02-06T09:00"),
        told("T-1", "closed", "02-06T10:00"),
        told("T-1", "reopened", "03-04T09:00"),  # in March
        told("T-2", "opened", "02-07T09:00"),
        told("T-2", "assigned", "02-07T09:30", team="desk"),  # the first team is no hand-over
        told("T-3", "opened", "02-08T09:00"),
        told("T-3", "cancelled", "02-08T09:01"),
        told("R-1", "opened", "02-08T09:00", category="request"),
    ]

    result = run_replay(events, load_agreements([FILE]), until_ms=ms("04-02T00:00"))

    february, march = (one for one in result.statements if one.window == "month")
    assert {one.indicator: one.value for one in february.figures} == {
        "tickets_opened": 2, "tickets_reopened": 1, "tickets_handed_over": 2,
    }  # fmt: skip
    assert {one.objective: one.verdict for one in february.verdicts} == {
        "quiet-month": "met", "solved-for-good": "met", "right-team-first": "breached",
    }  # fmt: skip
    assert [one.value for one in march.figures] == [0, 1, 0]
    [whole] = result.whole
    assert [one.value for one in whole.figures] == [2, 2, 2]


def test_the_file_is_without_mistakes_and_warnings():
    check = check_agreements([FILE])
    assert (check.mistakes, check.warnings) == ((), ())


COUNTS = TicketRule(id="counts", windows=(Window("day"),))
TIMED = clock("resolution", {"*": "4h"}, windows=(Window("day"),))
TYPES = st.sampled_from(["opened", "assigned", "resolved", "closed", "reopened", "cancelled", "updated"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TYPES, st.sampled_from("ab"), st.integers(1, 59)), min_size=1, max_size=8), st.data())
def test_counts_are_the_same_in_any_order_of_arrival_and_beside_a_clock(made, data):
    facts = [
        (f"Mon 10:{minute:02}", event("ticket", "T-1", kind, id=f"e{place}", sequence=place, team=team))
        for place, (kind, team, minute) in enumerate(made)
    ]

    def counted(order, *more):
        story = Story(agreement(COUNTS, *more, tickets=(COUNTS,)), subject="ticket")
        for at, one in order:
            story.at(at, one, now="Mon 11:00")
        pane = story.pane(SeriesKey("desk", "counts", ()), "day", 1_772_409_600_000)
        return pane and {name: count for name, count in pane.counts.items() if count}

    in_order = counted(sorted(facts, key=lambda one: (one[0], one[1].fact.sequence)))
    assert (counted(data.draw(st.permutations(facts))) or {}) == (in_order or {}) == (counted(facts, TIMED) or {})


def test_two_hand_overs_in_one_instant_are_two_also_when_one_is_known_first():
    story = Story(agreement(COUNTS, tickets=(COUNTS,)), subject="ticket")
    for place, (kind, team, minute) in enumerate([("opened", "a", 0), ("assigned", "b", 1), ("assigned", "a", 1)]):
        story.at(f"Mon 10:{minute:02}", event("ticket", "T-1", kind, id=f"e{place}", sequence=place, team=team))

    assert story.pane(SeriesKey("desk", "counts", ()), "day", 1_772_409_600_000).counts == {
        "opened": 1,
        "handed_over": 2,
    }


def test_a_number_of_tickets_has_no_error_budget_and_its_stretches_are_counted_alike():
    """The loader refuses a budget of numbers; whoever asks for the figures of a stretch is told the counts."""
    pane = Pane({"opened": 3, "reopened": 1}, {}, {}, {}, {})
    stretch = Stretch(agreement(COUNTS), Span(0, 1), 1, pane, empty_pane())

    assert [one.value for one in at_once(KINDS["ticket"].budget_figures(COUNTS, stretch))] == [3, 1, 0]
    assert at_once(turns_ms(COUNTS, stretch, (), {}, ())) == [], "time alone changes no number"
