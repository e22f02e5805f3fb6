import pytest

from monitor.core.series.figures import Figure
from monitor.replay.by_window import figure_cells, time_text

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        # A golden case of domain.md §5: a month of 43,200 min, 100 min down; in milliseconds nobody reads it.
        (
            Figure("availability", 0.997685, 43_100 * 60_000, 43_200 * 60_000, "ratio", "f"),
            ("99.7685%", "29.93 d", "30.00 d"),
        ),
        (Figure("downtime", 6_000_000, 6_000_000, 43_200 * 60_000, "ms", "f"), ("1.67 h", "1.67 h", "30.00 d")),
        (Figure("failures", 3.0, 3, 43_200 * 60_000, "count", "f"), ("3", "3", "30.00 d")),
        (Figure("mtbf", 900 * HOUR, 900 * HOUR, 1, "ms", "f"), ("37.50 d", "37.50 d", "1")),
        (Figure("mean", 476_335.17, 4.7633517e11, 1_000_000, "ms", "f"), ("476.335 s", "5,513.14 d", "1,000,000")),
        (Figure("p90", 90_000.0, 9, 10, "ms", "f"), ("90.000 s", "9", "10")),
        (Figure("compliance", 0.5, 1, 2, "ratio", "f"), ("50.0000%", "1", "2")),
        (Figure("saidi", 2_880 * 60_000.0, 100 * 48 * HOUR, 100, "ms", "f"), ("2.00 d", "4,800.00 customer h", "100")),
        (Figure("asai", 0.9, 9 * HOUR, 10 * HOUR, "ratio", "f"), ("90.0000%", "9.00 customer h", "10.00 customer h")),
        (Figure("saifi", 1.25, 125, 100, "count", "f"), ("1.25", "125", "100")),
        (Figure("revenue", 4000.0, 4000, 1, "amount", "f"), ("4,000.00", "4,000", "1")),
        (Figure("mtbf", None, 12_000, 0, "ms", "f"), ("no data", "12.000 s", "0")),
    ],
)
def test_amounts_of_time_are_durations_and_numbers_are_written_out(figure, cells):
    assert figure_cells(figure)[:3] == cells


def test_an_amount_of_time_is_told_in_the_unit_that_fits():
    assert [time_text(one) for one in (250, 90_000, 26.5 * HOUR, 78 * HOUR)] == [
        "0.250 s",
        "90.000 s",
        "26.50 h",
        "3.25 d",
    ]
