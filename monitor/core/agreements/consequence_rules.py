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
    """What follows from misses. ``fees`` are by month; a cap of None is no limit; ``claim_within_ms`` 0: no limit."""

    currency: str = ""
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    credits: tuple[CreditRule, ...] = ()
    termination: tuple[TerminationRule, ...] = ()
    month_cap: Decimal | None = None
    term_cap: Decimal | None = None
    claim_within_ms: int = 0
    prorated: bool = False
    """A period that began or ended in its middle is paid for, and credited, by the part of it that was agreed."""

    def __bool__(self) -> bool:
        """Whether anything follows."""
        return bool(self.credits or self.termination)


NO_CONSEQUENCES: Final = Consequences()
"""What follows where nothing was agreed."""


class Tier(NamedTuple):
    """A step of a credit: beyond this figure (below it, or above where less is better) so much of the fee is due."""

    bound: float
    share: Decimal


class CreditRule(NamedTuple):
    """What is credited for an objective in a period. ``fee`` names the fee; "" is that of the series' service."""

    objective: str
    window: WindowKind
    tiers: tuple[Tier, ...]
    fee: str = ""


class TerminationRule(NamedTuple):
    """The customer may terminate after so many ``misses`` in any ``periods`` consecutive ones."""

    objective: str
    window: WindowKind
    misses: int
    periods: int
