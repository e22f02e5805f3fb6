"""A consequence: what one closed period brings, with the evidence it rests on (domain.md §8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from monitor.core.series.series import SeriesKey

ConsequenceKind = Literal["credit", "termination_warning", "termination_right"]
Cap = Literal["month", "term"]
TERM: Final = "term"
"""What stands for the whole term among the months in which credits were granted."""
NO_MONEY: Final = Decimal("0.00")


class Evidence(NamedTuple):
    """What a consequence rests on: the figure of the statement, and the periods that were missed, by their starts."""

    indicator: str
    value: float
    target: float
    numerator: float
    denominator: float
    formula: str
    misses: tuple[int, ...] = ()


class Consequence(NamedTuple):
    """What follows from one period of one series for one objective.

    ``amount`` is due by the tier; ``payable`` what is left of it under the caps (`capped`), else the same. ``share``
    and ``fee`` are what the amount was made of. A credit must be claimed before ``claim_until_ms`` (0: whenever).
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
    """The cap that left less of the amount to be paid; both may: the one that left less."""
