"""Laws of disorder inside a subject: no batch boundary matters, the same stands in the end, cancelled is void."""

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.facts.events import Event, Fact
from monitor.core.subjects import folding
from monitor.core.time.units import HOUR_MS
from tests.core.calls.test_call_laws import histories as calls
from tests.core.calls.test_call_laws import run as run_calls
from tests.core.leads.test_lead_laws import histories as leads
from tests.core.leads.test_lead_laws import run as run_leads
from tests.core.outages.test_outage_laws import histories as outages
from tests.core.outages.test_outage_laws import run as run_outages
from tests.core.stories import MONDAY_MS, Story, agreement, clock, ms, ticket
from tests.core.subjects.test_subject_laws import BOOKS, histories, run


def told(story):
    return [(one.id, one.state, one.at_ms) for one in story.alerts]


def cut(arrived, data):
    """The events in some batches."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(arrived)), max_size=4)) | {len(arrived)})
    return [arrived[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_whatever_the_order_no_batch_boundary_changes_what_is_told_of_tickets(events, rules, data):
    """All of it: ids, states and instants, in the order of each subject. Else a restart would tell something else."""
    arrived = data.draw(st.permutations(events))
    story, other = run(cut(arrived, data), rules=rules), run([[one] for one in arrived], rules=rules)
    for subject_id in {one.subject_id for one in events}:
        assert [one for one in told(story) if one[0] in ids(story, subject_id)] == [
            one for one in told(other) if one[0] in ids(other, subject_id)
        ]


def ids(story, subject_id):
    return {one.id for one in story.alerts if one.key.what == subject_id}


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whatever_the_order_no_batch_boundary_changes_what_is_told_of_calls_outages_and_leads(data):
    for drawn, runs in ((calls, run_calls), (outages, run_outages), (leads, run_leads)):
        arrived = data.draw(st.permutations(data.draw(drawn())))
        assert sorted(told(runs(cut(arrived, data)))) == sorted(told(runs([[one] for one in arrived])))


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_the_last_word_of_a_cancelled_clock_is_never_that_it_is_out_or_resolved(events, rules, data):
    """None where nothing was told; rearmed where it was taken back before; else voided, whatever the order.

    A summed clock that was reopened has told the end of its life before: that stays its word if it tells nothing more.
    """
    story = run([[one] for one in data.draw(st.permutations(events))], rules=rules)

    last = {one.key[1:]: one.state for one in story.alerts}
    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            if one.state == "cancelled":
                lived_before = ("resolved",) if one.ordinal else ()
                word = last.get((key[1:].decode(), *one.series[:2], one.cycle))
                assert word in (None, "rearmed", "voided", *lived_before)


def test_a_cancellation_that_arrives_after_the_end_was_told_voids_it():
    story = Story(agreement(clock("resolution", {"*": "4h"}, at_risk=())))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))

    story.at("Mon 14:00", ticket("T-1", "cancelled"), now="Mon 16:00")

    assert story.told() == ["breached Mon 13:00", "resolved Mon 15:00", "voided Mon 14:00"]


def standing(story):
    """What is announced and not taken back: the breaches, the warnings of what still runs, with the words on them.

    Without ordinals: an id is told once, so what was taken back and holds after all must be told by another one.
    """
    found = {}
    for one in story.alerts:
        if one.state in ("voided", "rearmed") or (one.state == "resolved" and "breached" not in found.get(one.key, ())):
            found.pop(one.key, None)
        else:
            found[one.key] = {*found.get(one.key, ()), one.state} - ({"at_risk"} if one.state != "at_risk" else set())
    return found


def test_a_summed_clock_tells_the_end_of_a_life_whose_stop_arrives_after_the_reopening():
    rule = clock("resolution_gross", {"*": "12h"}, at_risk=(), cycles="sum")
    opened = ticket("T-1", "opened", sequence=0)
    stopped, reopened = ticket("T-1", "resolved", sequence=1), ticket("T-1", "reopened", sequence=2)
    ordered, disordered = Story(agreement(rule)), Story(agreement(rule))
    ordered.at("Mon 00:00", opened).at("Mon 13:00", stopped).at("Mon 13:00", reopened).until("Mon 14:00")
    disordered.at("Mon 00:00", opened).at("Mon 13:00", reopened).at("Mon 13:00", stopped).until("Mon 14:00")

    assert standing(ordered) == standing(disordered)


def test_a_life_that_had_ended_in_time_and_was_broken_after_all_is_told_anew_when_it_is_not_the_last(monkeypatch):
    """It was opened an hour earlier, and reopened after its solution: both are learnt at once."""
    monkeypatch.setattr(folding, "MOST_AGAIN", 0)
    story = Story(agreement(clock("resolution", {"*": "4h"}, at_risk=("75%",), cycles="sum")))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 12:30", ticket("T-1", "resolved"))
    assert story.told() == ["at_risk Mon 12:00", "resolved Mon 12:30"]

    late = [("Mon 08:00", "opened"), ("Mon 12:40", "reopened")]
    facts = [Fact(ms(at), 0, kind, kind, {}) for at, kind in late]
    story.take(story.engine.batch([Event("ticket", "T-1", one) for one in facts], ms("Mon 13:00"), story.book))
    story.until("Mon 14:00")

    assert story.told()[2:] == [
        "at_risk Mon 11:00", "breached Mon 12:00", "resolved Mon 12:30", "at_risk Mon 12:40", "breached Mon 12:40",
    ]  # fmt: skip
    assert len({one.id for one in story.alerts}) == len(story.alerts)


LIVES = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 2, 4]), st.sampled_from(["resolved", "reopened", "paused", "resumed"])),
    min_size=2,
    max_size=7,
)


@settings(max_examples=100, deadline=None)
@given(LIVES, st.sampled_from(["resolution", "resolution_gross"]), st.data())
def test_whatever_the_order_the_same_lives_of_a_summed_clock_stand_in_the_end(lives, metric, data):
    """Of each life that was broken the breach and the end, and whether the present one is broken."""
    at_ms, events = MONDAY_MS, [Event("ticket", "T-1", Fact(MONDAY_MS, 0, "opened", "opened", {}))]
    for place, (hours, kind) in enumerate(lives):
        at_ms += hours * HOUR_MS
        events.append(Event("ticket", "T-1", Fact(at_ms, place + 1, str(place), kind, {})))
    rule = clock(metric, {"*": "4h"}, at_risk=("75%",), cycles="sum")
    hours_after = data.draw(st.sampled_from([0, 1, 10]))

    def told_of(arrived):
        story = Story(agreement(rule), retention="400d")
        for event in arrived:
            story.take(story.engine.batch([event], 0, story.book))
        story.due(at_ms + hours_after * HOUR_MS)
        assert len({one.id for one in story.alerts}) == len(story.alerts)
        return standing(story), story.alerts[-1].state == "breached" if story.alerts else False

    assert told_of(data.draw(st.permutations(events))) == told_of(events)


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_whatever_the_order_the_same_breaches_of_tickets_stand_in_the_end(events, rules, data):
    """Ordered and disordered alike: announced, not taken back, and ended or not; each id is told once."""
    story = run(cut(data.draw(st.permutations(events)), data), rules=rules)

    assert standing(story) == standing(run([[one] for one in events], rules=rules))
    assert len({one.id for one in story.alerts}) == len(story.alerts)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whatever_the_order_the_same_breaches_of_calls_outages_and_leads_stand_in_the_end(data):
    for drawn, runs in ((calls, run_calls), (outages, run_outages), (leads, run_leads)):
        events = data.draw(drawn())
        story = runs([[one] for one in data.draw(st.permutations(events))])
        assert standing(story) == standing(runs([[one] for one in events]))
        assert len({one.id for one in story.alerts}) == len(story.alerts)


def test_a_warning_that_still_holds_after_a_later_one_was_taken_back_is_told_anew():
    story = Story(agreement(clock("resolution", {"*": "4h"}, at_risk=("50%", "75%"))))
    story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 12:00")

    story.at("Mon 11:30", ticket("T-1", "paused"), now="Mon 12:10")

    assert story.told() == ["at_risk Mon 11:00", "at_risk Mon 12:00", "rearmed Mon 11:30", "at_risk Mon 11:00"]
    assert len({one.id for one in story.alerts}) == 4
