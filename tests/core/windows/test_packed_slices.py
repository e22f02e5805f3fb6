"""Bad slices as a row keeps them: few small numbers, of which nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.windows.timeslices import packed, unpacked

HOUR_MS = 3_600_000


@given(st.lists(st.integers(0, 10**10), unique=True, max_size=40), st.sampled_from([1, 60_000, HOUR_MS]))
def test_what_was_packed_is_unpacked(bounds, unit):
    bounds = [unit * one for one in sorted(bounds)[: len(bounds) // 2 * 2]]
    spans = tuple(zip(bounds[::2], bounds[1::2], strict=True))

    assert unpacked(packed(spans)) == spans


def test_the_numbers_are_steps_in_a_unit_that_divides_them():
    assert packed([(6 * HOUR_MS, 8 * HOUR_MS), (12 * HOUR_MS, 14 * HOUR_MS)]) == (2 * HOUR_MS, 3, 1, 2, 1)
    assert packed([]) == ()
