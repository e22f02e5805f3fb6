"""Rules of consequences as an agreement writes them: credits, damages, caps, rights to terminate (domain.md §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from monitor.core.time.windows import WindowKind

MONTHS: Final[dict[WindowKind, int]] = {"month": 1, "quarter": 3, "year": 12}
"""The periods for which fees are paid, in months."""
Basis = Literal["fixed", "per_hour", "per_case"]
"""The quantity that the sum of a damages rule is multiplied by: 1, hours beyond the target, or cases that missed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """The consequences of misses. ``fees`` are per month; a cap of None and ``claim_within_ms`` 0 mean no limit.

    Credits and damages have caps of their own: neither uses up the other's.
    """

    currency: str = ""
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    credits: tuple[CreditRule, ...] = ()
    termination: tuple[TerminationRule, ...] = ()
    month_cap: Decimal | None = None
    term_cap: Decimal | None = None
    claim_within_ms: int = 0
    prorated: bool = False
    """Whether a period of which only a part was agreed is paid for, and credited, by that part."""
    damages: tuple[DamageRule, ...] = ()
    damages_month_cap: Decimal | None = None
    damages_term_cap: Decimal | None = None
    immediate: tuple[BreachRule, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any rule for credits, damages or termination."""
        return bool(self.credits or self.damages or self.termination or self.immediate)

    def capped(self) -> frozenset[WindowKind]:
        """Return the kinds of periods whose credits or damages share a cap of the month or the term."""
        found: set[WindowKind] = set()
        if self.month_cap is not None or self.term_cap is not None:
            found.update(one.window for one in self.credits)
        if self.damages_month_cap is not None or self.damages_term_cap is not None:
            found.update(one.window for one in self.damages)
        return frozenset(found)


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


class DamageRule(NamedTuple):
    """The damages for missing an objective in a period: ``rate``, as many times as ``basis`` says.

    ``cap`` is the most that is due for one period of one series (None: no limit).
    """

    objective: str
    window: WindowKind
    basis: Basis
    rate: Decimal
    cap: Decimal | None = None


class BreachRule(NamedTuple):
    """A kind of breach after which the customer may terminate at once.

    It happens in a period that misses the objective with a figure beyond ``bound`` (None: with any miss). The right
    ends ``within_ms`` after the period (0: it does not end).
    """

    name: str
    objective: str
    window: WindowKind
    bound: float | None = None
    within_ms: int = 0
