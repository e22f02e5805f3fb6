"""What goes into a pane comes out of it again, and panes add up in any order."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series import sketch
from monitor.core.series.panes import apply, merge_panes
from monitor.core.series.series import LIVE, Change, OutageRecord, Pane, SeriesKey, empty_pane

SERIES = SeriesKey("desk", "calls", ("support",))

names = st.sampled_from(("answered", "wait_ms", "abandoned"))
changes = st.tuples(
    st.integers(LIVE, 10**9),
    st.lists(st.tuples(names, st.integers(0, 10**6)), max_size=4).map(tuple),
    st.integers(-1, 10**8),
).map(lambda parts: Change(SERIES, *parts))


def with_own_items(several):
    """Each subject has its own id."""
    return [
        one._replace(call=(f"C-{index}", index), outage=(f"O-{index}", OutageRecord("outage", index)))
        for index, one in enumerate(several)
    ]


def filled(several):
    pane = empty_pane()
    for one in several:
        apply([pane], one)
    return pane


def test_a_change_brings_its_counts_its_duration_and_its_items():
    record = OutageRecord("outage", 7)
    change = Change(SERIES, 7, (("answered", 1), ("wait_ms", 40)), 40, ("C-1", 7), ("O-1", record))

    pane = filled([change, change._replace(call=("C-2", 8), outage=None)])

    assert pane == Pane(
        {"answered": 2, "wait_ms": 80}, {sketch.bucket_of(40): 2}, {"C-1": 7, "C-2": 8}, {"O-1": record}, {40: 2}
    )


def test_a_count_that_returns_to_zero_leaves_no_name_behind():
    pane = filled([Change(SERIES, 0, (("answered", 1), ("wait_ms", 0)))])
    assert pane.counts == {"answered": 1}

    apply([pane], Change(SERIES, 0, (("answered", 1),), times=-1))

    assert not any(pane)


def test_an_item_that_is_replaced_is_there_once_with_its_new_content():
    before = Change(SERIES, 0, (), outage=("O-1", OutageRecord("outage", 5)))
    after = Change(SERIES, 0, (), outage=("O-1", OutageRecord("outage", 5, restored_ms=9)))

    pane = filled([before, before.undone(), after])

    assert pane.outages == {"O-1": OutageRecord("outage", 5, restored_ms=9)}


@given(st.lists(changes, max_size=8).map(with_own_items), st.randoms())
def test_taking_every_change_out_again_in_any_order_leaves_the_pane_empty(several, random):
    pane = filled(several)
    undone = [one.undone() for one in several]
    random.shuffle(undone)

    for one in undone:
        apply([pane], one)

    assert pane == empty_pane()


@given(st.lists(changes, max_size=8).map(with_own_items), st.integers(0, 8), st.integers(0, 8))
def test_panes_of_several_sources_add_up_to_the_pane_of_one(several, a, b):
    a, b = sorted((a, b))
    parts = [filled(several[:a]), filled(several[a:b]), filled(several[b:])]
    copies = [Pane(*(content.copy() for content in part)) for part in parts]

    whole = filled(several)

    assert merge_panes(parts) == merge_panes(reversed(parts)) == whole
    assert merge_panes([merge_panes(parts[:2]), parts[2]]) == whole
    assert parts == copies


def test_no_panes_add_up_to_an_empty_one_and_what_cancels_out_is_not_named():
    assert merge_panes([]) == empty_pane()
    assert not any(merge_panes([filled([one, one.undone()]) for one in [Change(SERIES, 0, (("met", 1),), 5)]]))
    taken = Pane({"met": -1}, {}, {}, {}, {})
    assert merge_panes([Pane({"met": 1}, {}, {}, {}, {}), taken]) == empty_pane()
