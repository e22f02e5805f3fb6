"""A desk with many customers, each with figures of its own."""

from __future__ import annotations

from typing import Final

from monitor.core.objectives.budget import BudgetFigure
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.core.time.units import DAY_MS
from tests.pages.test_board import DESK, MONDAY_10

BUSY: Final = DESK | {
    "covers": {},
    "clocks": [DESK["clocks"][0] | {"by": ["customer"]}],
    "objectives": [
        {"id": "in-time", "of": "fix", "indicator": "compliance", "target": ">= 90 %", "windows": ["24h", "month"],
         "budget": {"method": "events"}}
    ],
}  # fmt: skip


def busy_status(number: int, *, closed: bool = False) -> WindowStatus:
    """The month of one customer, or its statement of the month before."""
    share = number % 40 / 100
    verdict = ObjectiveVerdict(
        "in-time", "compliance", ">=", 0.9, None, 1 - share, 100, 1, "breached" if share > 0.1 else "on_track"
    )
    budget = BudgetFigure("in-time", "events", "count", 10.0, 100 * share, 10 - 100 * share, share / 0.1, share > 0.1)
    from_ms = MONDAY_10 - 40 * DAY_MS if closed else MONDAY_10 - 9 * DAY_MS
    return WindowStatus(
        SeriesKey("desk", "fix", (f"c{number}",)), {"customer": f"c{number}"}, "month", from_ms, from_ms + 30 * DAY_MS,
        MONDAY_10, 1, (), (verdict,), {} if closed else {"open": 3}, closed=closed, budgets=(budget,),
    )  # fmt: skip
