"""Units of time in milliseconds."""

from __future__ import annotations

from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
USUAL_MONTH_MS: Final = 30 * DAY_MS
"""The month of error budgets: burn rates are quoted for 30 days, not for the length of a calendar month."""
LONGEST_MONTH_MS: Final = 31 * DAY_MS
"""The longest month of a calendar: panes that are kept this long hold any whole month."""
