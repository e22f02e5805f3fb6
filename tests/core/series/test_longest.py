"""The longest durations of a pane are known exactly, however they come and go."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series import longest
from monitor.core.series.longest import FROM, MOST, longest_of, unlisted
from monitor.core.series.panes import apply, exchanged, merge_panes
from monitor.core.series.series import Change, SeriesKey, empty_pane
from monitor.core.series.sketch import bucket_of
from monitor.core.time.spans import Span
from monitor.core.windows.running_sum import RunningSum

SERIES = SeriesKey("desk", "resolution", ())
durations = st.integers(0, 10**6)
MANY = 3 * MOST


def put(pane, *values, times=1):
    for value in values:
        apply([pane], Change(SERIES, 0, (), value, times=times))
    return pane


def pane_of(*values):
    return put(empty_pane(), *values)


def listed(pane):
    return {value: n for value, n in pane.longest.items() if value != FROM}


def test_a_few_durations_are_all_listed_each_with_its_number():
    assert pane_of(7, 120_000, 7).longest == {7: 2, 120_000: 1}


def test_of_many_durations_the_longest_ones_are_listed_and_from_where_on():
    pane = pane_of(*range(MANY))

    assert listed(pane) == dict.fromkeys(range(MANY - MOST, MANY), 1)
    assert pane.longest[FROM] == MANY - MOST


def test_a_duration_that_is_taken_out_leaves_the_next_longest_behind():
    pane = put(pane_of(*range(MANY)), MANY - 1, MANY - 2, times=-1)

    assert longest_of(pane.longest) == MANY - 3


def test_of_equal_durations_one_is_left_when_the_other_is_taken_out():
    assert longest_of(put(pane_of(5, 9, 9), 9, times=-1).longest) == 9


def test_the_longest_is_unknown_once_all_that_are_listed_were_taken_out_until_a_longer_one_comes():
    pane = put(pane_of(*range(MANY)), *range(MANY - MOST, MANY), times=-1)
    assert longest_of(pane.longest) is None

    put(pane, 5)
    assert longest_of(pane.longest) is None, "shorter than those that are not listed"

    assert longest_of(put(pane, MANY).longest) == MANY


def test_an_empty_pane_lists_again_from_the_beginning():
    pane = put(put(pane_of(*range(MANY)), *range(MANY), times=-1), 3)

    assert pane.longest == {3: 1}


@given(st.lists(durations, max_size=60), st.randoms())
def test_whatever_is_taken_out_of_few_durations_the_longest_is_that_of_the_rest(values, random):
    """At most `MOST` distinct ones are never left out."""
    values = [value % MOST for value in values]
    pane, left = pane_of(*values), list(values)
    random.shuffle(left)
    while left:
        assert longest_of(pane.longest) == max(left)
        put(pane, left.pop(), times=-1)
    assert pane == empty_pane()


@given(st.lists(durations, max_size=80), st.lists(durations, max_size=80), st.lists(durations, max_size=80))
def test_panes_add_up_to_the_pane_of_all_in_any_order_and_grouping(a, b, c):
    parts = [pane_of(*a), pane_of(*b), pane_of(*c)]

    whole = pane_of(*a, *b, *c)

    assert merge_panes(parts) == merge_panes(reversed(parts)) == whole
    assert merge_panes([merge_panes(parts[:2]), parts[2]]) == whole
    assert longest_of(whole.longest) == max(a + b + c, default=None)


@given(st.lists(durations, max_size=40), st.lists(durations, max_size=40))
def test_a_pane_that_takes_the_place_of_an_older_one_in_a_sum_brings_its_longest(others, values):
    total, old = merge_panes([pane_of(*others), pane_of(*values[:20])]), pane_of(*values[:20])

    found = exchanged(total, old, pane_of(*values))

    assert longest_of(found.longest) == max(others + values, default=None)


class Kept:
    """The panes of a series by their starts."""

    def __init__(self, *panes):
        self.panes = dict(enumerate(panes))

    def starts(self, _width):
        return self.panes.keys()

    def between(self, _width, from_ms, to_ms):
        return [start for start in self.panes if from_ms <= start < to_ms]

    def pane(self, _width, start_ms):
        return self.panes[start_ms]


@given(st.lists(st.lists(durations, max_size=2 * MOST), min_size=1, max_size=6), st.data())
def test_the_running_sum_of_a_moving_window_has_the_longest_of_the_panes_in_it(contents, data):
    kept, running = Kept(*[pane_of(*values) for values in contents]), RunningSum("minute")

    for _ in range(6):
        start, length = data.draw(st.integers(0, len(contents))), data.draw(st.integers(1, 4))
        inside = [value for values in contents[start : start + length] for value in values]
        total = running.moved(Span(start, start + length), kept)
        assert longest_of(total.longest) == max(inside, default=None)


def test_a_pane_of_which_the_longest_is_unknown_hides_it_only_where_another_is_not_longer():
    emptied = put(pane_of(*range(MANY)), *range(MANY - MOST, MANY), times=-1)
    for other, known in ((5, None), (MANY, MANY)):
        running = RunningSum("minute")
        assert longest_of(running.moved(Span(0, 2), Kept(emptied, pane_of(other))).longest) == known
        assert longest_of(merge_panes([emptied, pane_of(other)]).longest) == known


@given(st.lists(durations, min_size=1, max_size=20), durations)
def test_of_a_pane_without_a_list_a_longer_duration_than_any_of_its_buckets_is_the_longest(old, new):
    """Panes of earlier releases have no list."""
    pane = pane_of(*old)
    pane = pane._replace(longest=unlisted(pane.buckets))
    assert longest_of(pane.longest) is None

    put(pane, new)

    longer = bucket_of(new) > bucket_of(max(old))
    assert longest_of(pane.longest) == (new if longer else None)
    assert unlisted({}) == {}


def test_a_list_is_merged_with_itself_taken_out():
    total = {FROM: 5, 7: 2, 9: 1}

    longest.merge(total, {FROM: 5, 7: 2}, -1)

    assert total == {FROM: 5, 9: 1}
