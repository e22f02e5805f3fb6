"""The rows of budgets and consequences survive their way through a changelog."""

from decimal import Decimal

import msgspec
import pytest

from monitor.core.clocks.clock_value import Extra
from monitor.core.objectives.consequence import Consequence, Evidence
from monitor.core.objectives.verdicts import Announced
from monitor.core.series.series import SeriesKey
from monitor.core.subjects.rows import subject_key
from monitor.core.windows.budgets import BudgetRow, encode_budget_key
from monitor.core.windows.consequences import ConsequenceRow
from monitor.core.windows.timeslices import packed, unpacked
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS

SERIES = SeriesKey("net", "core", ("ring",))
TOLD = {"up|1h+5m": Announced("breached", 2, 5, 1)}


def test_a_budget_keeps_its_bad_slices_and_what_was_told():
    row = BudgetRow(TOLD, {"up": packed([(60_000, 180_000)])}, {"up": 240_000})
    key = encode_budget_key(SERIES)
    assert EVALUATE_ROWS.decode(key, EVALUATE_ROWS.encode(key, row)) == row


@pytest.mark.parametrize("head", [b"", b"\x01"])
def test_bad_slices_that_were_kept_as_spans_are_read(head):
    spans = [[60_000, 180_000], [600_000, 660_000]]
    was = b"\0" * 8 + head + msgspec.msgpack.encode([TOLD, {"up": spans, "none": []}, {"up": 660_000}])

    row = EVALUATE_ROWS.decode(encode_budget_key(SERIES), was)

    assert (row.told, row.settled_ms) == (TOLD, {"up": 660_000})
    assert [list(one) for one in unpacked(row.bad["up"])] == spans
    assert unpacked(row.bad["none"]) == ()


def test_a_year_of_minutes_of_which_each_second_one_was_bad_fits_a_record_several_times():
    """Given a budget of a year, of which two years are kept, then its row stays far below 8 MiB."""
    minute = 60_000
    spans = [(at, at + minute) for at in range(1_700_000_000_000 // minute * minute, 1_763_072_000_000, 2 * minute)]
    row = BudgetRow(TOLD, {"up": packed(spans)}, {"up": spans[-1][1]})

    assert len(spans) > 500_000
    assert len(EVALUATE_ROWS.encode(encode_budget_key(SERIES), row)) < 1_100_000
    assert list(unpacked(row.bad["up"])) == spans


def test_a_credit_keeps_each_digit_of_its_amounts():
    evidence = Evidence("availability", 0.99895, 0.999, 99_895.0, 100_000.0, "(P - D) / P", (1, 2))
    credit = Consequence(
        "net", 1, "up", SERIES, "month", 1, 2, "credit", evidence, Decimal("12000.13"), Decimal("12000.10"), "EUR",
        Decimal("48000.50"), Decimal("0.25"), 0.999, 3,
    )  # fmt: skip
    row = ConsequenceRow({"up": (1, 2)}, TOLD, (credit,))
    read = EVALUATE_ROWS.decode(b"ckey", EVALUATE_ROWS.encode(b"ckey", row))
    assert read == row
    assert str(read.open[0].payable) == "12000.10"


def test_a_credit_of_the_version_before_has_no_damages_and_no_kind_of_breach():
    """Given a row that was written before damages were known, then its credit is what it was."""
    evidence = ["availability", 0.99895, 0.999, 99_895.0, 100_000.0, "(P - D) / P", [1, 2]]
    credit = [
        "net", 1, "up", ["net", "core", ["ring"]], "month", 1, 2, "credit", evidence, "12000.13", "12000.10", "EUR",
        "48000.50", "0.25", 0.999, 3, "month",
    ]  # fmt: skip
    was = b"\0" * 8 + b"\x01" + msgspec.msgpack.encode([{"up": [1, 2]}, TOLD, [credit]])

    (read,) = EVALUATE_ROWS.decode(b"ckey", was).open

    assert (read.kind, str(read.payable), read.bound_by, read.series) == ("credit", "12000.10", "month", SERIES)
    assert (read.basis, read.quantity, read.rate, read.breach) == ("", 0, 0, "")


def test_a_subject_of_the_version_before_counts_no_lateness():
    """Given a clock with extra fields of the version before, then it counts in its series as it did there."""
    clock = [
        ["desk", "resolution", ["P1"]], 1, 1, 1000, 3_600_000, "always", 0, False, "running", 1000, 0, 0, 3_601_000,
        3_601_000, 0, 0, [], [], [0, 5, [], [7], ["customer"]],
    ]  # fmt: skip
    was = b"\0" * 8 + b"\x01" + msgspec.msgpack.encode([0, 7, [], {}, [clock], []])

    (read,) = SOURCE_ROWS.decode(subject_key("T-1"), was).clocks

    assert read.extra == Extra(0, 5, [], [7], ["customer"])
    assert not read.extra.counts_late
