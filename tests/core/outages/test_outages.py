"""What one outage or maintenance has in its series (domain.md §5).

Written as facts with their minutes after noon: ``ledger("started 0", "restored 30")``, attributes in braces after it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import OutageRule
from monitor.core.facts.events import Fact
from monitor.core.outages.outages import MAINTENANCE, outage_changes
from monitor.core.series.panes import apply
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey, empty_pane
from tests.core.stories import Story, agreement, clock, event, ms

RULE = OutageRule(id="outages", notice_ms=60 * 60_000, by=("service",))
SERIES = SeriesKey("network", "outages", ("metro-ring",))
NOON_MS = 1_772_452_800_000


def at(minute):
    return NOON_MS + round(minute * 60_000)


def ledger(*facts):
    """Facts, each as its text or as (text, attributes); those of one minute stay in the order they are written in."""
    parts = [(one, {}) if isinstance(one, str) else one for one in facts]
    return sorted(
        Fact(at(float(text.split()[1])), number, f"e{number}", text.split()[0], attributes)
        for number, (text, attributes) in enumerate(parts)
    )


def announced(minute, starts, ends):
    return f"maintenance_announced {minute}", {"starts_at_ms": at(starts), "ends_at_ms": at(ends)}


def changes_of(*facts, rule=RULE):
    return outage_changes("O-1", ledger(*facts), rule, SERIES)


def record_of(*facts, rule=RULE):
    (record,) = [one.outage[1] for one in changes_of(*facts, rule=rule) if one.outage]
    return record


def weights_of(*facts):
    return [((from_ms - NOON_MS) / 60_000, weight) for from_ms, weight in record_of(*facts).weights]


def flags_of(*facts):
    return [dict(one.counts).get("flagged", 0) for one in changes_of(*facts) if one.outage]


def test_an_open_outage_stands_at_its_start_and_in_the_live_pane_with_its_age():
    record = OutageRecord("outage", at(0), weights=((at(0), 1.0),))

    assert changes_of("started 0") == [
        Change(SERIES, at(0), (), outage=("O-1", record)),
        Change(SERIES, LIVE, (("open", 1),), call=("O-1", at(0))),
    ]


def test_a_repaired_outage_has_its_four_steps_and_is_open_no_more():
    (change,) = changes_of("started 0", "acknowledged 2", "responded 5", "restored 30", "resolved 90")

    assert change.at_ms == at(0)
    assert change.outage == (
        "O-1", OutageRecord("outage", at(0), at(2), at(5), at(30), at(90), ((at(0), 1.0),))
    )  # fmt: skip


def test_resolved_without_restored_ends_it_too():
    assert record_of("started 0", "resolved 40").resolved_ms == at(40)
    assert record_of("started 0", "resolved 40").restored_ms == at(40)
    assert record_of("started 0", "resolved 40", "restored 50").restored_ms == at(40)


def test_a_step_that_nobody_reported_is_absent_and_not_taken_from_a_later_one():
    record = record_of("started 0", "restored 30")

    assert (record.acknowledged_ms, record.responded_ms, record.resolved_ms) == (0, 0, 0)


def test_an_automatic_reply_is_no_response():
    assert record_of("started 0", ("responded 1", {"automatic": True}), "responded 9").responded_ms == at(9)


def test_a_cancelled_outage_counts_nowhere():
    assert changes_of("started 0", "cancelled 5") == []
    assert changes_of("started 0", "restored 30", "cancelled 50") == []


def test_an_outage_whose_start_is_not_known_has_to_wait_for_it():
    assert changes_of("acknowledged 2", "restored 30") == []


def test_the_earliest_start_counts():
    assert record_of("started 3", "started 0", "restored 9").start_ms == at(0)


@pytest.mark.parametrize("step", ["acknowledged", "responded", "restored", "resolved"])
def test_a_stop_before_the_start_is_clamped_to_it_and_flagged(step):
    facts = (f"{step} 0", "started 1")

    record = record_of(*facts)

    assert flags_of(*facts) == [1]
    assert {at(1)} == {one for one in record[2:6] if one}


def test_an_outage_restored_before_it_started_has_no_length_and_is_not_open():
    (change,) = changes_of("restored 0", "started 1")

    assert change.outage[1].restored_ms - change.outage[1].start_ms == 0


def test_a_stop_at_the_start_or_after_an_early_one_is_no_skew():
    assert flags_of("started 0", "restored 0") == [0]
    assert flags_of("restored 0", "started 1", "restored 9") == [0]
    assert record_of("restored 0", "started 1", "restored 9").restored_ms == at(9)


# weights


def test_stepwise_restoration_lowers_the_weight_until_nobody_is_left():
    #  100 % ── 10 ── 40 % ── 20 ── 5 % ── 30 restored
    facts = (
        ("started 0", {"customers_affected": 1_000, "customers_total": 1_000}),
        ("restored 10", {"customers_affected": 400}),
        ("restored 20", {"weight": 0.05}),
        ("restored 30", {"customers_affected": 0}),
    )

    assert weights_of(*facts) == [(0, 1.0), (10, 0.4), (20, 0.05)]
    assert record_of(*facts).restored_ms == at(30)
    assert len(changes_of(*facts[:3])) == 2, "still open"


def test_a_partial_restoration_does_not_stop_the_restore_clock():
    rule = clock("restore", {"*": "1h"}, subject="outage", at_risk=())
    story = Story(agreement(rule, id="network"), subject="outage")

    story.at("Mon 12:00", event("outage", "O-1", "started"))
    story.at("Mon 12:30", event("outage", "O-1", "restored", weight=0.5))
    story.until("Mon 13:30")

    assert story.told("O-1") == ["breached Mon 13:00"]
    story.at("Mon 14:00", event("outage", "O-1", "restored"))
    assert story.told("O-1")[-1] == "resolved Mon 14:00"


def test_a_partial_restoration_shows_that_somebody_works_on_it():
    rule = clock("respond", {"*": "1h"}, subject="outage", at_risk=())
    story = Story(agreement(rule, id="network"), subject="outage")

    story.at("Mon 12:00", event("outage", "O-1", "started"))
    story.at("Mon 12:30", event("outage", "O-1", "restored", weight=0.5))

    (one,) = story.clocks("O-1")
    assert (one.state, one.stop_ms) == ("stopped", ms("Mon 12:30"))


def test_an_impact_that_grows_and_shrinks_makes_a_step_each():
    assert weights_of(
        ("started 0", {"weight": 0.2}), ("degraded 5", {"weight": 0.5}), ("impact_changed 8", {"weight": 0.1})
    ) == [(0, 0.2), (5, 0.5), (8, 0.1)]


def test_a_fact_that_says_nothing_about_the_impact_leaves_it():
    assert weights_of(("started 0", {"weight": 0.2}), "degraded 5", ("impact_changed 8", {"weight": 0.2})) == [(0, 0.2)]
    assert weights_of("started 0", ("impact_changed 5", {"customers_affected": 3})) == [(0, 1.0)], "3 of how many?"


def test_the_impact_after_the_end_and_before_the_start_does_not_count():
    assert weights_of(
        ("impact_changed 0", {"weight": 0.1}), "started 1", "restored 9", ("impact_changed 10", {"weight": 0.3})
    ) == [(1, 1.0)]


def test_of_two_steps_in_one_instant_the_later_one_holds():
    assert weights_of("started 0", ("impact_changed 0", {"weight": 0.3}), ("impact_changed 4", {"weight": 0.9})) == [
        (0, 0.3),
        (4, 0.9),
    ]


def test_the_total_may_be_told_before_and_the_impact_becomes_a_share_of_it():
    assert weights_of(("acknowledged -1", {"customers_total": 200}), ("started 0", {"customers_affected": 50})) == [
        (0, 0.25)
    ]


@pytest.mark.parametrize(
    ("attributes", "weight"),
    [
        ({"weight": 1.5}, 1.0),
        ({"weight": -1}, 0.0),
        ({"customers_affected": 300, "customers_total": 200}, 1.0),
        ({"customers_affected": -5, "customers_total": 200}, 0.0),
        ({"customers_affected": 0}, 0.0),
        ({"customers_affected": 5, "customers_total": 0}, 1.0),
        ({"weight": 0.5, "customers_affected": 1, "customers_total": 200}, 0.5),
        ({"weight": float("nan")}, 0.0),
    ],
)
def test_a_weight_is_a_share_whatever_is_sent(attributes, weight):
    assert weights_of(("started 0", attributes)) == [(0, weight)]


# maintenance


def window_of(*facts, rule=RULE):
    items = [one.outage[1] for one in changes_of(*facts, rule=rule) if one.outage]
    return [((one.start_ms - NOON_MS) / 60_000, (one.restored_ms - NOON_MS) / 60_000) for one in items]


def test_announced_maintenance_stands_at_the_start_of_its_window():
    (change,) = changes_of(announced(-600, 0, 120))

    record = OutageRecord("maintenance", at(0), restored_ms=at(120), announced_ms=at(-600))
    assert change == Change(SERIES, at(0), (), outage=("O-1", record))


@pytest.mark.parametrize(
    ("real", "window"),
    [
        ((), [(0, 120)]),
        (("maintenance_started 10", "maintenance_ended 100"), [(10, 100)]),
        (("maintenance_started -30", "maintenance_ended 200"), [(0, 120)]),
        (("maintenance_started 10",), [(10, 120)]),
        (("maintenance_ended 100",), [(0, 100)]),
        (("maintenance_started 130", "maintenance_ended 150"), []),
        (("maintenance_started 10", "maintenance_ended 20", "maintenance_ended 90"), [(10, 90)]),
    ],
)
def test_only_what_was_announced_and_really_happened_is_excluded(real, window):
    assert window_of(announced(-600, 0, 120), *real) == window


def test_maintenance_announced_after_the_fact_excuses_nothing():
    assert window_of("maintenance_started 0", "maintenance_ended 60", announced(90, 0, 60)) == []


def test_maintenance_that_was_never_announced_excludes_nothing():
    assert window_of("maintenance_started 0", "maintenance_ended 60") == []


def test_the_notice_is_measured_to_the_announced_start_and_is_inclusive():
    assert window_of(announced(-60, 0, 120)) == [(0, 120)]
    assert window_of(announced(-59.99, 0, 120)) == []
    assert window_of(announced(-10, 0, 120), "maintenance_started 110") == [], "a late start is no longer notice"


def test_maintenance_that_is_moved_in_time_has_its_new_window():
    assert window_of(announced(-600, 0, 120), announced(-300, 500, 620)) == [(500, 620)]


def test_maintenance_that_is_extended_at_short_notice_keeps_its_old_window():
    assert window_of(announced(-600, 0, 120), announced(-5, 0, 300)) == [(0, 120)]


def test_maintenance_that_is_put_off_at_short_notice_excuses_neither_window():
    put_off = (announced(-600, 0, 120), announced(-5, 50, 300), "maintenance_started 200", "maintenance_ended 290")

    assert window_of(*put_off) == []


def test_cancelled_maintenance_excuses_nothing():
    assert window_of(announced(-600, 0, 120), "cancelled -300") == []


@pytest.mark.parametrize(
    "attributes",
    [{}, {"starts_at_ms": at(0)}, {"ends_at_ms": at(9)}, {"starts_at_ms": at(9), "ends_at_ms": at(0)}],
)
def test_an_announcement_without_a_window_announces_nothing(attributes):
    assert window_of(("maintenance_announced -600", attributes)) == []


def test_maintenance_that_became_an_outage_is_both_under_ids_of_their_own():
    both = (announced(-600, 0, 120), "started 30", "restored 200")

    pane = empty_pane()
    for one in changes_of(*both):
        apply([pane], one)

    assert {name: one.kind for name, one in pane.outages.items()} == {
        "O-1": "outage", "O-1" + MAINTENANCE: "maintenance"
    }  # fmt: skip


# laws

shares = st.sampled_from([{}, {"weight": 0.5}, {"weight": 0.0}, {"customers_affected": 3, "customers_total": 4}])
facts = st.one_of(
    st.tuples(
        st.sampled_from(["started", "acknowledged", "responded", "degraded", "impact_changed", "restored", "resolved",
                         "maintenance_started", "maintenance_ended"]),
        st.integers(0, 60),
        shares,
    ).map(lambda parts: (f"{parts[0]} {parts[1]}", parts[2])),
    st.tuples(st.integers(-120, 60), st.integers(0, 60), st.integers(0, 60)).map(lambda parts: announced(*parts)),
)  # fmt: skip


@given(st.lists(facts, max_size=8))
def test_taking_an_outage_out_again_leaves_the_panes_empty(several):
    live, sliced = empty_pane(), empty_pane()
    changes = changes_of(*several)

    for one in (*changes, *(change.undone() for change in changes)):
        apply([live if one.at_ms == LIVE else sliced], one)

    assert live == sliced == empty_pane()


@given(st.lists(facts, max_size=8))
def test_an_outage_is_open_or_over_and_none_of_its_steps_is_before_its_start(several):
    changes = changes_of(*several)

    records = [one.outage[1] for one in changes if one.outage]
    for record in records:
        assert all(step == 0 or step >= record.start_ms for step in record[2:6])
        assert all(0 <= weight <= 1 for _, weight in record.weights)
        assert [from_ms for from_ms, _ in record.weights] == sorted({from_ms for from_ms, _ in record.weights})
        if record.kind == "outage":
            assert record.weights[0][0] == record.start_ms
        else:
            assert record.announced_ms + RULE.notice_ms <= record.start_ms < record.restored_ms
    is_open = [record for record in records if record.kind == "outage" and not record.restored_ms]
    assert len(is_open) == sum(one.at_ms == LIVE for one in changes)
