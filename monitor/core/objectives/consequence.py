"""A consequence of one closed period (credit, damages, right to terminate …), with its evidence (domain.md §8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from monitor.core.agreements.consequence_rules import Basis
from monitor.core.series.series import SeriesKey

ConsequenceKind = Literal["credit", "damages", "termination_warning", "termination_right"]
MONEY: Final[frozenset[ConsequenceKind]] = frozenset({"credit", "damages"})
"""The kinds of consequences that are amounts of money: they are claimed and capped."""
Cap = Literal["month", "term", "rule"]
"""The cap of a month, of a term, or of the rule for one period of one series."""
TERM: Final = "term"
"""Key of the whole term in a mapping of granted credits whose other keys are months."""
DAMAGES: Final = "damages "
"""What the keys of granted damages begin with in such a mapping."""
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

    ``amount`` is the credit due by the tier, ``fee`` × ``share``, or the damages due, ``rate`` × ``quantity``.
    ``payable`` is the part of it that the caps leave (`capped`), or the whole amount. It must be claimed, and a right
    to terminate at once must be used, before ``claim_until_ms`` (0: no limit).
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
    basis: Basis | Literal[""] = ""
    """For damages: 1, hours or cases are counted."""
    quantity: Decimal = NO_MONEY
    """For damages: how many hours or cases, in hours rounded to a millionth; 1 for a fixed sum."""
    rate: Decimal = NO_MONEY
    """For damages: the sum for one."""
    breach: str = ""
    """For a right to terminate at once: the kind of breach, as the agreement names it."""
