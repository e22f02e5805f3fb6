"""The course of an error budget: kept within bounds as the topic tells it, and drawn as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.objectives.budget import BudgetFigure, Burn
from monitor.core.objectives.forecast import forecast
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.core.time.units import DAY_MS, HOUR_MS
from monitor.pages.board import Budget
from monitor.pages.burn_down import BURN_HEIGHT, BURN_WIDTH, burn_down
from monitor.read_model.courses import POINTS, Courses, Point
from monitor.wire.announcements import status_key

SERIES = SeriesKey("network", "core", ("dsl",))
END = 30 * DAY_MS
KEY = status_key(SERIES, "month")


def status(as_of_ms, share, window="month", from_ms=0, to_ms=END, series=SERIES):
    figure = BudgetFigure("up", "events", "ms", 100.0, 100 * share, 100 - 100 * share, share, share > 1)
    return WindowStatus(series, {}, window, from_ms, to_ms, as_of_ms, 1, (), (), {}, budgets=(figure,))


def drawn(one, *known):
    figure = one.budgets[0]
    return burn_down(Budget("network", one, figure, forecast(one, figure)), known)


def test_the_line_goes_through_what_was_said_and_what_was_before_is_told_apart():
    courses = Courses()
    told = [status(10 * DAY_MS, 0.1), status(12 * DAY_MS, 0.6), status(15 * DAY_MS, 0.6)]
    for one in told:
        courses.take(KEY, one)

    picture = drawn(told[-1], *courses.course(told[-1], "up"))

    assert [round(x) for x, _ in picture.course] == [100, 120, 150]
    assert [round(y) for _, y in picture.course] == [7, 42, 42]
    assert (picture.before, picture.known_from_ms) == ((0.0, 0.0), 10 * DAY_MS)
    assert picture.end == pytest.approx((250, 70))  # 0.6 in 15 days: the rest in 10 more


def test_when_a_budget_was_used_up_is_told_if_it_was_seen():
    picture = drawn(status(20 * DAY_MS, 1.5), Point(10 * DAY_MS, 0.5))
    assert (picture.used_up_ms, picture.course[-1], picture.end) == (15 * DAY_MS, (200.0, 70.0), None)
    assert drawn(status(20 * DAY_MS, 1.5)).used_up_ms is None


def test_a_budget_in_events_goes_on_at_the_pace_of_its_longest_burn_rate():
    # 1 % of 1,000 may be bad, 5 were. In the last 3 days 4 of 100: each day uses 4/3 and adds 1/3: 5 more in 5 days.
    figure = BudgetFigure("up", "events", "count", 10.0, 5.0, 5.0, 0.5, False, (Burn("3d", 4.0, 4, 100),), 1_000)
    picture = drawn(status(15 * DAY_MS, 0.5)._replace(budgets=(figure,)))
    assert picture.budget.used_up_ms == 20 * DAY_MS
    assert picture.end == pytest.approx((200, 70))
    calm = figure._replace(burns=(Burn("3d", 1.0, 1, 100),))  # as the budget grows
    assert drawn(status(15 * DAY_MS, 0.5)._replace(budgets=(calm,))).end == pytest.approx((300, 10 / 15 * 70))


def test_a_window_that_goes_with_the_time_has_no_beginning():
    one = status(END, 0.4, window="30d")
    picture = drawn(one, Point(15 * DAY_MS, 0.8))
    assert (picture.before, picture.end, picture.course) == (None, None, ((150.0, 56.0), (300.0, 28.0)))


def test_a_course_ends_with_its_window_and_begins_anew_with_the_next_period():
    courses = Courses()
    courses.take(KEY, status(29 * DAY_MS, 0.9))
    following = status(END + HOUR_MS, 0.01, from_ms=END, to_ms=2 * END)
    courses.take(KEY, following)
    assert courses.course(following, "up") == (Point(END + HOUR_MS, 0.01),)
    courses.take(KEY, None)
    courses.take(b"never seen", None)
    assert courses.course(following, "up") == ()


def test_of_too_many_windows_the_first_ones_are_kept():
    courses = Courses(most=1)
    kept, other = status(1, 0.1), status(1, 0.1, series=SERIES._replace(values=("fibre",)))
    courses.take(KEY, kept)
    courses.take(status_key(other.series, "month"), other)
    courses.take(KEY, status(END // 2, 0.2))
    assert (len(courses.course(kept, "up")), courses.course(other, "up")) == (2, ())


@given(st.lists(st.tuples(st.integers(0, 60 * DAY_MS), st.floats(0, 3)), min_size=1, max_size=400), st.booleans())
def test_however_often_it_is_told_a_course_is_bounded_in_order_and_inside_its_frame(told, rolls):
    courses = Courses()
    for at_ms, share in sorted(told):
        window = ("30d", at_ms - END, at_ms) if rolls else ("month", at_ms // END * END, at_ms // END * END + END)
        one = status(at_ms, share, *window)
        courses.take(status_key(SERIES, one.window), one)
    course = courses.course(one, "up")

    assert len(course) <= POINTS + 1
    assert list(course) == sorted(course, key=lambda point: point.at_ms)
    assert course[-1].consumed_share == one.budgets[0].consumed_share
    assert all(one.from_ms <= point.at_ms <= one.to_ms for point in course)
    assert all(0 <= x <= BURN_WIDTH and 0 <= y <= BURN_HEIGHT for x, y in drawn(one, *course).course)
