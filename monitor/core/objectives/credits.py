"""The account of credits and damages that an agreement has granted: it says what is payable under the caps.

All series of an agreement are judged in one partition, so one row beside theirs holds the sums of all statements of a
month and of the term. A statement is final: the rest under a cap goes to periods in the order in which they close, and
to periods that close at one instant in the order of their series. The sum never exceeds the cap, in any order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.objectives.consequence import DAMAGES, MONEY, TERM
from monitor.core.objectives.consequences import granted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.objectives.consequence import Consequence
    from monitor.core.rows import Rows

MOST_MONTHS: Final = 60
"""The account keeps this many of the newest months, and of the newest terms. A period that closes later than that was
over long ago."""


class AccountRow(NamedTuple):
    """The sums granted under an agreement, by month (``2026-03``) and by term; those of damages stand apart.

    The row's key begins with ``a``.
    """

    spent: dict[str, Decimal]


def account_key(agreement: str) -> bytes:
    """Return the row key of an agreement's account."""
    return b"a" + agreement.encode()


def charged(rows: Rows, agreement: Agreement, found: Sequence[Consequence]) -> list[Consequence]:
    """Return a statement's consequences with the amounts payable, and enter these in the account."""
    if not any(one.kind in MONEY for one in found):
        return list(found)
    key = account_key(agreement.id)
    row = rows.get(key)
    spent = dict(row.spent) if isinstance(row, AccountRow) else {}
    after = [granted(one, agreement, spent) for one in sorted(found, key=lambda one: one.objective)]
    kept = [name for of in ("", TERM, DAMAGES, DAMAGES + TERM) for name in _newest(spent, of)]
    rows.put(key, AccountRow({name: spent[name] for name in kept}))
    return after


def _newest(spent: Iterable[str], of: str) -> list[str]:
    """Return the newest months or terms (of credits or of damages) among the keys of an account."""
    prefixes = (DAMAGES + TERM, DAMAGES, TERM, "")  # the first that a key begins with is its own
    return sorted(name for name in spent if next(filter(name.startswith, prefixes)) == of)[-MOST_MONTHS:]
