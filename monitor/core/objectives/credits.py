"""What an agreement has granted in credits so far: so that a statement says what is payable under the caps.

All series of an agreement are judged in one partition, so one row beside theirs knows all statements of a month and of
the term. A statement is final: what is left under a cap goes to the periods in the order in which they close, those
that close at one instant in the order of their series. The sum is never more than the cap, in whatever order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.objectives.consequence import TERM
from monitor.core.objectives.consequences import granted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.objectives.consequence import Consequence
    from monitor.core.rows import Rows

MOST_MONTHS: Final = 60
"""Months, and terms, that are remembered: a period that closes later than its next so many was long over."""


class AccountRow(NamedTuple):
    """What was granted under an agreement, by month (``2026-03``) and by term. Its key begins with ``a``."""

    spent: dict[str, Decimal]


def account_key(agreement: str) -> bytes:
    """Return the row key of an agreement's account."""
    return b"a" + agreement.encode()


def charged(rows: Rows, agreement: Agreement, found: Sequence[Consequence]) -> list[Consequence]:
    """Return what follows from a statement with what is payable of its credits, and remember that it is granted."""
    if not any(one.kind == "credit" for one in found):
        return list(found)
    key = account_key(agreement.id)
    row = rows.get(key)
    spent = dict(row.spent) if isinstance(row, AccountRow) else {}
    after = [granted(one, agreement, spent) for one in sorted(found, key=lambda one: one.objective)]
    months = sorted(name for name in spent if not name.startswith(TERM))
    terms = sorted(name for name in spent if name.startswith(TERM))
    rows.put(key, AccountRow({name: spent[name] for name in (*months[-MOST_MONTHS:], *terms[-MOST_MONTHS:])}))
    return after
