"""Rules of consequences: credit tiers, caps and the right to terminate, as an agreement writes them (domain.md §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from monitor.core.time.windows import WindowKind

MONTHS: Final[dict[WindowKind, int]] = {"month": 1, "quarter": 3, "year": 12}
"""The periods for which fees are paid, in months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """The consequences of misses. ``fees`` are per month; a cap of None and ``claim_within_ms`` 0 mean no limit."""

    currency: str = ""
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    credits: tuple[CreditRule, ...] = ()
    termination: tuple[TerminationRule, ...] = ()
    month_cap: Decimal | None = None
    term_cap: Decimal | None = None
    claim_within_ms: int = 0
    prorated: bool = False
    """Whether a period of which only a part was agreed is paid for, and credited, by that part."""

    def __bool__(self) -> bool:
        """Whether there is any rule for credits or termination."""
        return bool(self.credits or self.termination)


NO_CONSEQUENCES: Final = Consequences()
"""The consequences if none were agreed: no rules."""


class Tier(NamedTuple):
    """A step of a credit: this share of the fee is due if the figure is worse than the bound."""

    bound: float
    share: Decimal


class CreditRule(NamedTuple):
    """The credit for missing an objective in a period. ``fee`` names the fee; "" is that of the series' service."""

    objective: str
    window: WindowKind
    tiers: tuple[Tier, ...]
    fee: str = ""


class TerminationRule(NamedTuple):
    """The customer may terminate after ``misses`` misses in any ``periods`` consecutive periods."""

    objective: str
    window: WindowKind
    misses: int
    periods: int
