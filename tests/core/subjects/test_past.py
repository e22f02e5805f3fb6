"""What a subject counted at instants of the past (`monitor.core.subjects.late.Past`)."""

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import CallRule
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Fact
from monitor.core.subjects.late import Past
from tests.core.stories import agreement, ms

CALLS = CallRule(id="calls", answer_within_ms=20_000)
NINE = ms("Mon 09:00")


def fact(at_ms, kind):
    return Fact(at_ms, 0, kind, kind, {})


def past():
    facts = [fact(NINE, "queued"), fact(NINE + 30_000, "answered")]
    return Past("call", "C-1", facts, Plan(Book([agreement(CALLS)], 1)))


def counted(changes):
    return [dict(one.counts) for one in changes if one.at_ms == NINE]


def test_a_call_counts_for_what_was_known_of_it_at_each_instant():
    of = past()

    assert counted(of.changes(("desk", "calls"), NINE + 10_000, known=2)) == []
    assert counted(of.changes(("desk", "calls"), NINE + 25_000, known=2)) == [{"waiting_beyond": 1}]
    assert counted(of.changes(("desk", "calls"), NINE + 60_000, known=2)) == [{"answered": 1, "wait_ms": 30_000}]


def test_before_its_first_fact_a_subject_counted_for_nothing():
    assert past().changes(("desk", "calls"), NINE, known=2) == ()


def test_facts_that_are_not_known_yet_count_for_nothing():
    assert counted(past().changes(("desk", "calls"), NINE + 60_000, known=1)) == [{"waiting_beyond": 1}]


def test_instants_that_saw_the_same_share_what_was_counted():
    of = past()
    first = of.changes(("desk", "calls"), NINE + 60_000, known=2)

    assert of.changes(("desk", "calls"), NINE + 3_600_000, known=2) is first
    assert of.changes(("desk", "others"), NINE + 60_000, known=2) == []
    assert of.changes(("others", "calls"), NINE + 60_000, known=2) == []
