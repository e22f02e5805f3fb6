"""A consequence of one closed period (credit, warning or right to terminate), with its evidence (domain.md §8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from monitor.core.series.series import SeriesKey

ConsequenceKind = Literal["credit", "termination_warning", "termination_right"]
Cap = Literal["month", "term"]
TERM: Final = "term"
"""Key of the whole term in a mapping of granted credits whose other keys are months."""
NO_MONEY: Final = Decimal("0.00")


class Evidence(NamedTuple):
    """The evidence of a consequence: the figure of the statement, and the starts of the missed periods."""

    indicator: str
    value: float
    target: float
    numerator: float
    denominator: float
    formula: str
    misses: tuple[int, ...] = ()


class Consequence(NamedTuple):
    """A consequence of one period of one series for one objective.

    ``amount`` is the credit due by the tier: ``fee`` × ``share``. ``payable`` is the part of it that the caps leave
    (`capped`), or the whole amount. A credit must be claimed before ``claim_until_ms`` (0: no limit).
    """

    agreement: str
    version: int
    objective: str
    series: SeriesKey
    window: str
    from_ms: int
    to_ms: int
    kind: ConsequenceKind
    evidence: Evidence
    amount: Decimal = NO_MONEY
    payable: Decimal = NO_MONEY
    currency: str = ""
    fee: Decimal = NO_MONEY
    share: Decimal = NO_MONEY
    tier: float = 0.0
    claim_until_ms: int = 0
    bound_by: Cap | Literal[""] = ""
    """The cap that reduced the amount ("": none). If both caps reduced it, the one that leaves less."""
