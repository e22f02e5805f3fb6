"""Who is overdue at the end of each of thousands of periods: as by all panes, at a cost that grows with these."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series.series import Pane, SeriesKey
from monitor.core.windows.panes import SeriesPanes
from tests.core.stage import Rows

SERIES = SeriesKey("desk", "resolution", ())
STEPS = st.lists(
    st.tuples(st.sampled_from(["in", "out", "met", "gone", "ask"]), st.integers(0, 12), st.integers(1, 3)), max_size=40
)


def pane(**counts):
    return Pane(counts, {}, {}, {}, {})


@given(STEPS)
def test_the_kept_sum_is_that_of_all_panes_from_an_instant_on(steps):
    panes, known = SeriesPanes(SERIES, Rows()), {}
    for what, place, number in steps:
        if what == "ask":
            assert panes.overdue_from("hour", place) == sum(n for at, n in known.items() if at >= place)
        elif what == "gone":
            known.pop(place, None)
            panes.replace("tickets/0", "hour", place, None)
        else:
            known[place] = {"in": number, "out": -number, "met": 0}[what]
            name = what if what == "met" else f"overdue_{what}"
            panes.replace("tickets/0", "hour", place, pane(**{name: number}))


def test_two_thousand_periods_after_a_stop_look_at_each_pane_once(monkeypatch):
    panes, looked = SeriesPanes(SERIES, Rows()), []
    for place in range(2_000):
        panes.replace("tickets/0", "hour", place, pane(overdue_in=1))
    whole = SeriesPanes.pane
    monkeypatch.setattr(SeriesPanes, "pane", lambda self, *at: looked.append(at) or whole(self, *at))

    assert [panes.overdue_from("hour", end) for end in range(1, 2_001)] == list(range(1_999, -1, -1))
    assert len(looked) <= 2_000
