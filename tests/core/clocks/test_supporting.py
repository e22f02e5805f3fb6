"""Supporting agreements: with each breach of an SLA's clock, which OLA or UC was missed under it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Support
from monitor.core.agreements.measures import Filter
from monitor.core.agreements.supporting import TooLong, too_long
from monitor.core.alerts.alert import SupportingMiss
from monitor.core.clocks import supporting
from monitor.core.facts.events import Event, Fact
from tests.core.stories import Story, agreement, clock, ms, ticket
from tests.core.subjects.test_subject_laws import END_MS, histories

SLA = agreement(clock("resolution", {"P1": "4h", "*": "8h"}), clock("first_response", {"*": "1h"}), id="sla")


def ola(budget="2h", *, id="ola", supports=("sla", ()), team="second", kind="ola", **more):
    rule = clock("resolution", {"*": budget}, at_risk=())
    covers = Filter(any_of=(("team", frozenset({team})),)) if team else Filter()
    return agreement(rule, id=id, kind=kind, supports=(Support(*supports),), covers=covers, **more)


def misses(story, promise="resolution", of="sla"):
    (alert,) = [one for one in story.alerts if one.key[2:4] == (of, promise) and one.state == "breached"]
    return alert.supporting


def test_a_breach_tells_which_supporting_agreements_had_missed_their_targets_by_then():
    story = Story(SLA, ola(), ola("9h", id="slow"), ola(id="uc", kind="uc", team="other"))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1", team="second")).until("Mon 20:00")

    assert misses(story) == (SupportingMiss("ola", 1, "ola", "resolution", ms("Mon 11:00")),)
    assert misses(story, "first_response") == ()  # 10:00: the OLA still had an hour
    assert misses(story, of="slow") == ()


def test_only_the_clocks_that_an_agreement_supports_tell_of_it():
    story = Story(SLA, ola("30m", supports=("sla", ("resolution",))))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1", team="second")).until("Mon 20:00")

    assert [one.agreement for one in misses(story)] == ["ola"]
    assert misses(story, "first_response") == ()


def test_what_supports_an_upper_level_supports_those_below():
    low = agreement(clock("resolution", {"*": "4h"}), id="low", lineage=("sla",))
    story = Story(low, ola())
    story.at("Mon 09:00", ticket("T-1", "opened", team="second")).until("Mon 20:00")

    assert [one.agreement for one in misses(story, of="low")] == ["ola"]


def test_a_supporting_clock_is_judged_at_the_breach_whatever_comes_later():
    story = Story(SLA, ola("3h"))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1", team="second"))
    story.at("Mon 10:00", ticket("T-1", "paused", reason="x", team="second", priority="P1"))
    story.at("Mon 11:00", ticket("T-1", "resumed", reason="x", team="second", priority="P1"))
    story.at("Mon 13:30", ticket("T-1", "paused", reason="x", team="second", priority="P1"))
    story.at("Mon 15:00", ticket("T-1", "resumed", reason="x", team="second", priority="P1")).until("Mon 20:00")

    (miss,) = misses(story)
    assert miss.missed_ms == ms("Mon 13:00")  # 1 h + 2 h, then it was paused and ran on long overdue


@pytest.mark.parametrize(
    ("mode", "due", "missed"),
    [
        ("from_change", "Mon 17:00", "Tue 09:00"),
        ("prorated", "Mon 15:00", "Mon 15:00"),
        ("retroactive", "Mon 17:00", "Tue 09:00"),
    ],
)
def test_a_target_that_changed_on_the_way_is_missed_when_its_own_alert_says_so(mode, due, missed):
    """Opened 06:00 with 8 h; at 08:00, when 2 h are used, it becomes 8 h of office time, which begin at 09:00.

    Of all 8 h of office time more than that has elapsed when the office opens the next day. At night it is paused for
    an hour.
    """
    rule = clock("resolution", {"P1": "8h", "*": ("8h", "office")}, at_risk=(), on_change=mode)
    under = agreement(rule, id="ola", kind="ola", supports=(Support("sla", ()),))
    story = Story(agreement(clock("resolution", {"*": "27h"}, at_risk=()), id="sla"), under)

    story.at("Mon 06:00", ticket("T-1", "opened", priority="P1"))
    story.at("Mon 08:00", ticket("T-1", "priority_changed", priority="P2"))
    story.at("Mon 18:00", ticket("T-1", "paused")).at("Mon 19:00", ticket("T-1", "resumed")).until("Tue 12:00")

    assert story.told(promise="resolution") == [f"breached {missed}", "breached Tue 10:00"]
    assert [one.missed_ms for one in misses(story)] == [ms(due)]


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_no_batch_boundary_changes_what_was_missed_under_a_breach(events, data):
    def run(batches):
        story = Story(SLA, ola("1h", team=""), ola("7h", id="uc", team=""), retention="400d")
        for batch in batches:
            story.take(story.engine.batch(batch, 0, story.book))
        story.due(END_MS)
        return {one.id: one.supporting for one in story.alerts}

    cut = data.draw(st.integers(0, len(events)))
    assert run([[one] for one in events]) == run([batch for batch in (events[:cut], events[cut:]) if batch])


def again_and_again(cycles, *agreements):
    """A ticket that is solved and reopened, each time after the targets of an hour were missed."""
    story = Story(*agreements, retention="400d")
    for day in range(cycles):
        story.at(f"Mon+{day} 09:00", ticket("T-1", "opened" if day == 0 else "reopened"))
        story.at(f"Mon+{day} 12:00", ticket("T-1", "resolved"))
    return story


def each(id, **more):
    return agreement(clock("resolution", {"*": "1h"}, at_risk=(), cycles="each"), id=id, **more)


def test_of_a_clock_with_several_cycles_the_newest_miss_is_told():
    story = again_and_again(3, each("sla"), each("ola", supports=(Support("sla", ()),), kind="ola"))

    told = [one.supporting for one in story.alerts if one.key[2:4] == ("sla", "resolution") and one.supporting]
    assert [[one.missed_ms for one in under] for under in told] == [[ms(f"Mon+{day} 10:00")] for day in range(3)]


def test_a_version_that_supports_no_more_tells_of_no_miss_but_those_before_it_do():
    under = {"supports": (Support("sla", ()),), "kind": "ola"}
    first = each("ola", **under)
    second = each("ola", version=2, valid_from=ms("Mon+1 00:00"), **under | {"supports": (Support("other", ()),)})
    third = each("ola", version=3, valid_from=ms("Mon+2 00:00"), **under | {"supports": ()})
    story = again_and_again(3, each("sla"), first, second, third, each("later", **under))

    told = [one.supporting for one in story.alerts if one.key[2] == "sla" and one.state == "breached"]
    assert [[(one.agreement, one.version, one.missed_ms) for one in under] for under in told] == [
        [("later", 1, ms(f"Mon+{day} 10:00")), ("ola", 1, ms("Mon+0 10:00"))] for day in range(3)
    ]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_hundred_breaches_look_at_each_supporting_clock_a_few_times(backwards, monkeypatch):
    looks = []
    of = supporting.missed_ms
    monkeypatch.setattr(supporting, "missed_ms", lambda *args: looks.append(1) or of(*args))
    cycles = 100
    events = [
        Event("ticket", "T-1", Fact(ms(f"Mon+{day} {hour}:00"), 0, f"{day}-{hour}", kind, {}))
        for day in range(cycles)
        for hour, kind in (("09", "opened" if day == 0 else "reopened"), ("12", "resolved"))
    ]
    story = Story(each("sla"), each("ola", supports=(Support("sla", ()),), kind="ola"), retention="400d")

    story.take(story.engine.batch(events[::-1] if backwards else events, ms(f"Mon+{cycles} 00:00"), story.book))

    breached = [one for one in story.alerts if one.key.agreement == "sla" and one.state == "breached"]
    assert len(breached) >= cycles
    assert len(looks) <= 4 * len(breached)


def test_budgets_that_add_up_to_more_than_the_slas_are_found():
    found = too_long([SLA, ola("3h"), ola("2h", id="uc", kind="uc"), agreement(id="other")])

    assert found == [TooLong("sla", "resolution", "P1", 4 * 3_600_000, 5 * 3_600_000, ("ola", "uc"), same_hours=True)]
    assert too_long([SLA, ola("3h"), ola("1h", id="uc")]) == []


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (ola("9h"), ["*", "P1"]),
        (ola("9h", supports=("sla", ("first_response",))), ["*"]),
        (ola("9h", status="draft"), []),
        (ola("9h", supports=("elsewhere", ())), []),
        (agreement(id="ola", supports=(Support("sla"),)), []),
    ],
)
def test_only_accepted_agreements_that_support_a_clock_are_compared_with_it(one, found):
    assert [told.priority for told in too_long([SLA, one])] == found


def test_budgets_of_several_calendars_are_said_to_be_so_and_only_the_priorities_that_are_meant_count():
    urgent = Filter(any_of=(("priority", frozenset({"P1", "P2"})),))
    narrow = clock("resolution", {"P1": ("2h", "office"), "P3": "1h"}, where=urgent)

    (told,) = too_long([agreement(narrow, id="sla"), ola("5h")])

    assert (told.priority, told.same_hours) == ("P1", False)
