"""The time by which clocks missed their targets: counted where damages by the hour ask for it, and nowhere else."""

from dataclasses import replace

from monitor.core.agreements.measures import Filter
from monitor.core.clocks.figures import clock_figures
from monitor.core.series.series import empty_pane
from monitor.core.time.units import HOUR_MS
from tests.core.stories import Story, agreement, clock, ticket

LATE = clock(budgets={"*": "4h"}, counts_late=True)


def lateness(story):
    """The sum of the lateness of clocks that stopped, in hours."""
    return story.counts(values=("",), width="day").get("late_ms", 0) / HOUR_MS


def test_a_clock_that_stops_late_counts_the_time_beyond_its_target_and_one_in_time_nothing():
    story = Story(agreement(LATE))
    story.at("Mon 09:00", ticket("T-1", "opened"), ticket("T-2", "opened"))
    story.at("Mon 10:00", ticket("T-2", "resolved"))
    assert lateness(story) == 0

    story.at("Mon 14:30", ticket("T-1", "resolved"))
    assert lateness(story) == 1.5


def test_only_the_business_time_beyond_the_target_is_late():
    story = Story(agreement(clock(budgets={"*": ("4h", "office")}, counts_late=True)))
    story.at("Mon 16:00", ticket("T-1", "opened"))
    story.at("Tue 13:00", ticket("T-1", "resolved"))  # 1 h on Monday, 4 h on Tuesday, of 4 h

    assert lateness(story) == 1


def test_a_late_fact_that_shows_that_it_was_in_time_takes_the_lateness_out_again():
    story = Story(agreement(LATE)).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))
    assert lateness(story) == 2

    story.at("Mon 12:00", ticket("T-1", "resolved"), now="Mon 16:00")

    assert lateness(story) == 0


def test_clocks_that_nobody_asks_count_none_and_go_on_so_when_an_amendment_asks():
    story = Story(agreement(clock(budgets={"*": "4h"})))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))
    assert "late_ms" not in story.counts(width="day")

    # when a version that asks for it holds from Tuesday on, what was counted under the one before stays as it is
    asks = agreement(LATE, version=2, valid_from=story.alerts[-1].at_ms + 24 * HOUR_MS)
    story.amend(agreement(clock(budgets={"*": "4h"})), asks)
    story.sweep("Tue 18:00").at("Wed 09:00", ticket("T-2", "opened")).at("Wed 14:00", ticket("T-2", "resolved"))

    assert lateness(story) == 1
    assert story.counts(width="day")["breached"] == 2


def test_the_mean_lateness_is_a_figure_of_those_that_were_late():
    pane = empty_pane()._replace(counts={"met": 8, "breached": 2, "late_ms": 3 * HOUR_MS})
    late = clock_figures(pane, 0)[-1]
    assert (late.indicator, late.value, late.numerator, late.denominator) == ("late", 1.5 * HOUR_MS, 3 * HOUR_MS, 2)
    assert [one.indicator for one in clock_figures(empty_pane(), 0)].count("late") == 0


def test_a_clock_of_another_rule_of_the_same_agreement_is_not_asked():
    other = replace(clock("acknowledge", {"*": "1h"}), where=Filter())
    story = Story(agreement(LATE, other))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))

    assert "late_ms" in story.counts(width="day")
    assert "late_ms" not in story.counts("acknowledge", width="day")
