"""The rows of budgets and consequences survive their way through a changelog."""

from decimal import Decimal

from monitor.core.consequences import Consequence, Evidence
from monitor.core.series import SeriesKey
from monitor.core.series_budgets import BudgetRow, encode_budget_key
from monitor.core.series_consequences import ConsequenceRow
from monitor.core.verdicts import Announced
from monitor.wire.rows import EVALUATE_ROWS

SERIES = SeriesKey("net", "core", ("ring",))
TOLD = {"up|1h+5m": Announced("breached", 2, 5, 1)}


def test_a_budget_keeps_its_bad_slices_and_what_was_told():
    row = BudgetRow(TOLD, {"up": ((60_000, 180_000),)}, {"up": 240_000})
    key = encode_budget_key(SERIES)
    assert EVALUATE_ROWS.decode(key, EVALUATE_ROWS.encode(key, row)) == row


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
