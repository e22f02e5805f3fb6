"""Laws of disorder inside a subject: what arrives together is told as it happened, and a cancelled clock is void."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.stories import Story, agreement, clock, ticket
from tests.core.test_call_laws import histories as calls
from tests.core.test_call_laws import run as run_calls
from tests.core.test_lead_laws import histories as leads
from tests.core.test_lead_laws import run as run_leads
from tests.core.test_outage_laws import histories as outages
from tests.core.test_outage_laws import run as run_outages
from tests.core.test_subject_laws import BOOKS, histories, run


def told(story):
    return sorted((one.id, one.state, one.at_ms) for one in story.alerts)


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_disorder_within_one_batch_tells_of_tickets_just_what_their_order_tells(events, rules, data):
    """All of it: ids, states and instants, not only what stands in the end."""
    assert told(run([data.draw(st.permutations(events))], rules=rules)) == told(run([[x] for x in events], rules=rules))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_disorder_within_one_batch_tells_of_calls_outages_and_leads_just_what_their_order_tells(data):
    for drawn, runs in ((calls, run_calls), (outages, run_outages), (leads, run_leads)):
        events = data.draw(drawn())
        assert told(runs([data.draw(st.permutations(events))])) == told(runs([[one] for one in events]))


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_the_last_word_of_a_cancelled_clock_is_never_that_it_is_out_or_resolved(events, rules, data):
    """None where nothing was told; rearmed where it was taken back before; else voided, whatever the order."""
    story = run([[one] for one in data.draw(st.permutations(events))], rules=rules)

    last = {one.key[1:]: one.state for one in story.alerts}
    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            if one.state == "cancelled":
                assert last.get((key[1:].decode(), *one.series[:2], one.cycle)) in (None, "rearmed", "voided")


def test_a_cancellation_that_arrives_after_the_end_was_told_voids_it():
    story = Story(agreement(clock("resolution", {"*": "4h"}, at_risk=())))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))

    story.at("Mon 14:00", ticket("T-1", "cancelled"), now="Mon 16:00")

    assert story.told() == ["breached Mon 13:00", "resolved Mon 15:00", "voided Mon 14:00"]


def test_a_pause_that_arrives_with_the_end_but_behind_it_announces_no_breach():
    story = Story(agreement(clock("resolution", {"*": "4h"}, at_risk=())))
    opened, paused, resumed, resolved = ([ticket("T-1", kind)] for kind in ("opened", "paused", "resumed", "resolved"))
    times = [0, 1, 3, 5]
    batch = [
        one[0]._replace(fact=one[0].fact._replace(time_ms=1_772_442_000_000 + hours * 3_600_000))
        for one, hours in zip((opened, paused, resumed, resolved), times, strict=True)
    ]

    story.take(story.engine.batch([batch[0], batch[3], batch[2], batch[1]], 0, story.book))

    assert story.told() == []


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


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.data())
def test_whatever_the_order_the_same_breaches_of_tickets_stand_in_the_end(events, rules, data):
    """Ordered and disordered alike: announced, not taken back, and ended or not; each id is told once."""
    arrived = data.draw(st.permutations(events))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(arrived)), max_size=4)) | {len(arrived)})
    story = run([arrived[start:end] for start, end in zip([0, *cuts], cuts, strict=False)], rules=rules)

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
