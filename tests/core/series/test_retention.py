"""Panes are cut where a version takes effect: what it promised is counted for the time in which it held."""

import pytest

from monitor.core.series.retention import Slices
from tests.core.stories import ms

SLICES = Slices("UTC", (("day", 0),), 0, (ms("Mon 12:00"),))


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("Mon 11:59", "Mon 00:00"), ("Mon 12:00", "Mon 12:00"), ("Mon 18:00", "Mon 12:00"),
        ("Tue 09:00", "Tue 00:00"),  # a later day is whole again
    ],
)  # fmt: skip
def test_a_pane_begins_with_its_day_or_with_the_amendment_in_it(at, start):
    assert SLICES.start_ms("day", ms(at)) == ms(start)


def test_without_amendments_a_pane_begins_with_its_day():
    assert SLICES._replace(cuts_ms=()).start_ms("day", ms("Mon 18:00")) == ms("Mon 00:00")
