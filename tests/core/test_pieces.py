"""Work in pieces: that it makes what it would make in one go, and that its stretches do not grow with what there is."""

import random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core import pieces
from monitor.core.agreements.book import Book
from monitor.core.agreements.budget_rule import BudgetRule, BurnAlert
from monitor.core.agreements.measures import CallRule, CompositeRule, CustomerTerms, OutageRule
from monitor.core.calls.repeats import RepeatIndex
from monitor.core.facts.events import Event
from monitor.core.outages.customers import Counting, past_days
from monitor.core.outages.failures import failures_of
from monitor.core.outages.figures import measuring
from monitor.core.pieces import at_once, choosing, gathering, lots, sorting
from monitor.core.series.panes import apply, merge_panes
from monitor.core.series.series import Change, OutageRecord, Pane, PaneKey, SeriesKey, empty_pane, encode_pane_key
from monitor.core.subjects.engine import SourceEngine
from monitor.core.time import spans as timeline
from monitor.core.time.spans import leveling, union, uniting, weighted_levels
from monitor.core.time.windows import Window
from monitor.core.windows.evaluator import Evaluator
from tests.core.stage import DAY, HOUR, Stage, copied, promise
from tests.core.stories import MONDAY_MS, Story, agreement, clock, ms
from tests.core.subjects.test_many_facts import ORDERS, thousand
from tests.stretches import MOST_LINES, stretches

MINUTE_MS = 60_000
MANY = 16_000
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30)


def small_lots():
    """Lists of three items, so that few of them are many."""
    return patch.object(pieces.lots, "__defaults__", (3,))


# -- laws: in pieces as in one go


@given(st.lists(st.integers()), st.integers(1, 9))
def test_law_lots_are_the_items_in_order_and_none_is_larger_than_asked_for(items, size):
    found = list(lots(items, size))
    assert [one for lot in found for one in lot] == items
    assert all(0 < len(lot) <= size for lot in found)


@given(st.lists(st.tuples(st.integers(0, 9), st.text(max_size=2)), max_size=40))
def test_law_items_are_sorted_and_gathered_in_pieces_as_at_once(items):
    with small_lots():
        assert at_once(sorting(items)) == sorted(items)
        assert at_once(gathering(iter(items))) == items
        assert at_once(choosing(items, lambda one: one[0] > 4)) == [one for one in items if one[0] > 4]


@given(SPANS)
def test_law_a_union_in_pieces_is_the_union(spans):
    with small_lots():
        assert at_once(uniting(spans)) == union(spans)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)), max_size=30))
def test_law_levels_do_not_depend_on_where_it_pauses(spans):
    whole = weighted_levels(spans, "sum"), weighted_levels(spans, "max")
    with small_lots(), patch.object(timeline, "LOT", 1):
        assert (at_once(leveling(spans, "sum")), at_once(leveling(spans, "max"))) == whole


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.tuples(st.integers(1, 9), st.integers(0, 12), st.sampled_from(" abcdefghx"))
    )
)
def test_law_failures_are_the_first_of_their_chains_and_the_earliest_of_their_circles(drawn):
    outages = {
        name: OutageRecord("outage", start, restored_ms=end, parent=parent.strip())
        for name, (start, end, parent) in drawn.items()
    }

    def is_consequence(name):
        """As it is promised, by walking the chain of each."""
        chain = [name]
        while True:
            child = outages[chain[-1]]
            parent = outages.get(child.parent)
            if parent is None or 0 < parent.restored_ms < child.start_ms:
                return len(chain) > 1
            if child.parent in chain:
                circle = chain[chain.index(child.parent) :]
                return name not in circle or name != min(circle, key=lambda one: (outages[one].start_ms, one))
            chain.append(child.parent)

    assert failures_of(outages) == {name: one for name, one in outages.items() if not is_consequence(name)}


# -- stories: the stretches of what is large


def flood(count, *, apart_ms=11, **more):
    chance = random.Random(1)
    found = [
        (
            f"O-{number:06}",
            OutageRecord("outage", MONDAY_MS + number * apart_ms, restored_ms=MONDAY_MS + 3_600_000 + number, **more),
        )
        for number in range(count)
    ]
    chance.shuffle(found)
    return found


BURNS = (BurnAlert(2.0, 60 * MINUTE_MS, 5 * MINUTE_MS, "page"),)
CUSTOMERS = CustomerTerms(momentary_ms=1_000, served={"*": 1_000_000}, major_days="beta")


def histories(terms, before_ms, now_ms):
    """A day before that was as bad."""
    outages = {name: one._replace(start_ms=one.start_ms - 86_400_000) for name, one in flood(MANY)}
    return past_days(terms, [(MONDAY_MS - 86_400_000, outages)], before_ms, now_ms, {})


@pytest.mark.parametrize(
    ("rule", "records"),
    [
        (OutageRule(id="up"), flood(MANY)),
        (OutageRule(id="up", overlap="sum"), flood(MANY)),
        (OutageRule(id="up"), flood(MANY, apart_ms=3_600_001)),
        (OutageRule(id="up"), [*flood(10), *[(f"b-{n}", one._replace(kind="blind")) for n, one in flood(MANY)]]),
        (OutageRule(id="up", customers=CUSTOMERS), flood(MANY, customers=((MONDAY_MS, 3),))),
        (CompositeRule(id="up", parts=(("a",), ("b",))), flood(MANY, component="a")),
        (
            CompositeRule(id="up", parts=(("a", "b"),)),
            [(f"{name}{of}", one._replace(component=of)) for name, one in flood(3_000) for of in "ab"],
        ),
    ],
    ids=["overlapping", "weights added", "one after the other", "blind", "with customers", "composite", "redundant"],
)
def test_the_figures_of_a_flood_of_outages_pause_often_enough(rule, records):
    counting = None if rule.customers is None else Counting(CUSTOMERS, 1_000_000, "UTC", histories)
    to_ms = MONDAY_MS + 7 * 86_400_000

    did = stretches(measuring(rule, records, MONDAY_MS, to_ms, to_ms, None, counting))

    assert did.longest < MOST_LINES
    assert did.longest < did.lines / 8
    assert did.made == at_once(measuring(rule, records, MONDAY_MS, to_ms, to_ms, None, counting))


def test_a_chain_of_consequences_is_followed_once():
    """Given outages each of which is a consequence of the one before, then the cost is not that of all their pairs."""
    outages = {f"O-{number}": OutageRecord("outage", number, parent=f"O-{number - 1}") for number in range(1, 3_000)}

    def work():
        yield
        return failures_of(outages)

    did = stretches(work())

    assert list(did.made) == list(failures_of(outages)) == ["O-1"]
    assert did.lines < 30 * len(outages)


@pytest.fixture(scope="module")
def flooded():
    """An evaluator that knows a pane of 20,000 outages in 40 parts, of which its next owner knows the rows."""
    stage = Stage(agreement(OutageRule(id="m", windows=(HOUR, DAY))))
    series = SeriesKey("desk", "m", ())
    outages = flood(MANY)
    for start in range(0, MANY, 500):
        pane = Pane({}, {}, {}, dict(outages[start : start + 500]), {})
        for width in ("quarter", "minute", "day"):
            stage.evaluator.fold(
                "outages/0", PaneKey(series, width, MONDAY_MS, f"{start:06}"), copied(pane), stage.book
            )
    return stage


def test_a_look_at_a_flood_pauses_often_enough_also_when_all_of_it_is_to_be_read(flooded):
    evaluator = Evaluator(flooded.rows)
    restored = stretches(evaluator.restoring(list(flooded.rows)))

    did = stretches(evaluator.evaluating(ms("Mon 03:00"), flooded.book))

    assert did.longest < MOST_LINES < did.lines / 10
    assert restored.longest < MOST_LINES
    figures = {one.indicator: one for one in evaluator.latest[SeriesKey("desk", "m", ()), "day"].figures}
    assert figures["failures"].numerator == MANY


def test_while_a_flood_is_looked_at_what_was_shown_before_is_shown(flooded):
    """Given a look that is not through, when somebody asks, then all windows are those of the look before."""
    evaluator = Evaluator(flooded.rows)
    evaluator.restore(list(flooded.rows))
    at_once(evaluator.evaluating(ms("Mon 03:00"), flooded.book))
    before = dict(evaluator.latest)

    evaluator.touch_all()
    seen = []
    looking = evaluator.evaluating(ms("Mon 04:00"), flooded.book)
    for _ in looking:
        seen.append(dict(evaluator.latest))
        evaluator.next_ms(ms("Mon 04:00"))
        evaluator.spreads(10)

    assert len(seen) > 80
    assert all(one == before for one in seen[:-1])
    assert evaluator.latest != before


def test_a_look_that_is_cut_off_leaves_to_the_next_evaluator_what_it_would_have_found(flooded):
    rows = type(flooded.rows)(flooded.rows)
    whole = Evaluator(rows)
    whole.restore(list(rows))
    whole.evaluate(ms("Mon 03:00"), flooded.book)
    rows = type(flooded.rows)(flooded.rows)  # nothing of what was cut off was committed
    cut = Evaluator(rows)
    cut.restore(list(rows))
    looking = cut.evaluating(ms("Mon 03:00"), flooded.book)
    for _ in range(50):
        next(looking)
    looking.close()

    # The same evaluator may go on, too: what it had read is whole.
    cut.touch_all()
    cut.evaluate(ms("Mon 03:00"), flooded.book)

    assert cut.latest == whole.latest


def test_slices_and_burn_rates_of_a_flood_pause_often_enough():
    of = {"measure": "m", "indicator": "availability"}
    objectives = (
        promise(DAY, id="slices", budget=BudgetRule(DAY, "timeslices", 0.99, alerts=BURNS), **of),
        promise(DAY, id="time", budget=BudgetRule(DAY, alerts=BURNS), **of),
    )
    stage = Stage(agreement(OutageRule(id="m", windows=(DAY,)), objectives=objectives))
    series = SeriesKey("desk", "m", ())
    pane = Pane({}, {}, {}, dict(flood(3_000)), {})
    stage.evaluator.fold("outages/0", PaneKey(series, "day", MONDAY_MS), pane, stage.book)

    did = stretches(stage.evaluator.evaluating(ms("Mon 00:30"), stage.book))

    assert did.longest < MOST_LINES < did.lines / 10


def test_panes_that_are_needed_no_more_are_looked_for_in_pieces():
    """Given two hundred panes of an hour each, when most are too old for any window, then these go."""
    stage = Stage(agreement(clock(windows=(Window("rolling", 72 * 3_600_000),))))
    for hour in range(200):
        stage.change(Change(SeriesKey("desk", "resolution", ("P1",)), MONDAY_MS + hour * 3_600_000, (("met", 1),)))
    now_ms = MONDAY_MS + 200 * 3_600_000

    pauses = sum(1 for _ in stage.evaluator.evaluating(now_ms, stage.book))

    assert pauses > 100 / 64
    assert len([key for key in stage.rows if key[:1] == b"w"]) < 200 - 64


def test_repeat_callers_are_counted_part_by_part():
    parts = {
        f"part {part}": {f"{part * 500 + n:016x}.{n:016x}.{MONDAY_MS + n}.0": MONDAY_MS + n + 1 for n in range(500)}
        for part in range(20)
    }
    index = RepeatIndex([MONDAY_MS])

    took = stretches(index.taking(MONDAY_MS, parts))
    told = stretches(index.tallying(timeline.Span(MONDAY_MS, MONDAY_MS + 1), 1_000, MONDAY_MS + 10_000))

    assert took.longest < took.lines / 10
    assert told.longest < told.lines / 10
    assert told.made.handled == 10_000


def test_the_repeat_callers_of_a_window_are_those_of_all_parts():
    stage = Stage(agreement(CallRule(id="m", windows=(DAY,), answer_within_ms=20_000, repeat_within_ms=MINUTE_MS)))
    for part in range(20):
        calls = {f"{n:016x}.{part:08x}{n:08x}.{MONDAY_MS + part * 2}.0": MONDAY_MS + part * 2 + 1 for n in range(10)}
        key = PaneKey(SeriesKey("desk", "m", ()), "day", MONDAY_MS, f"{part:02}" if part else "")
        stage.evaluator.fold("calls/0", key, Pane({"answered": 10}, {}, calls, {}, {}), stage.book)
    stage.restart().look("Mon 12:00")

    figures = {one.indicator: one for one in stage.latest("day", SeriesKey("desk", "m", ())).figures}
    assert (figures["fcr"].numerator, figures["fcr"].denominator) == (10, 200)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_ledger_of_a_thousand_facts_is_folded_again_in_pieces(order):
    rules = (clock("acknowledge", {"*": "2h"}), clock("first_response"), clock("resolution", cycles="each"))
    story = Story(agreement(*rules, clock("next_response", at_risk=("50%",))))
    facts = order(thousand(("acknowledged", "responded", "paused", "resumed", "resolved", "reopened")))
    events = [Event("ticket", "T-1", one) for one in facts]

    first = stretches(story.engine.folded(events, ms("Tue 12:00"), story.book))
    again = stretches(
        story.engine.looked_at(
            [key for key in story.rows if key[:1] == b"s"], ms("Tue 12:00"), Book(story.book.agreements, 9)
        )
    )

    assert first.longest < MOST_LINES
    assert again.longest < MOST_LINES < again.lines


def test_a_fold_that_is_cut_off_between_two_pieces_has_changed_nothing():
    """Given a partition that is let go while a ledger is folded again, then its rows are those of before."""
    story = Story(agreement(clock(cycles="each"), clock("first_response")))
    story.take(
        story.engine.batch([Event("ticket", "T-1", one) for one in thousand(("paused", "resumed"))], 0, story.book)
    )
    before = dict(story.rows)
    other = Book((agreement(clock(cycles="each"), clock("first_response", {"*": "3h"})),), 9)

    folding = story.engine.looked_at([b"sT-1"], 0, other)
    for _ in range(20):
        next(folding)
    folding.close()

    assert story.rows == before


def test_panes_are_noted_and_their_expiry_is_learnt_anew_in_pieces():
    story = Story(agreement(clock()))
    keys = [
        encode_pane_key(PaneKey(SeriesKey("desk", "resolution", (f"c{number}",)), "hour", MONDAY_MS))
        for number in range(MANY)
    ]
    engine = SourceEngine("ticket", story.rows)

    noted = stretches(engine.restoring(keys))
    assert noted.longest < MOST_LINES < noted.lines

    learning = engine.looked_at([], 0, story.book)
    asked = [engine.next_expiry_ms() for _ in learning]  # as a runner does at any time
    assert len(asked) > 10
    assert set(asked) == {asked[0]}
    assert engine.next_expiry_ms() < asked[0], "with an agreement panes are kept for a shorter time than without"
    learnt = stretches(engine.looked_at([], 0, Book(story.book.agreements, 9)))
    assert learnt.longest < MOST_LINES < learnt.lines


def test_panes_of_many_sources_are_added_up_in_pieces():
    several = []
    for number in range(40):
        several.append(empty_pane())
        apply([several[-1]], Change(SeriesKey("desk", "m", ()), MONDAY_MS, (("met", number),), 60_000))
    assert merge_panes(several).counts == {"met": sum(range(40))}
