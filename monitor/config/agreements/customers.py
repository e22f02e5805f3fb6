"""Promises about customers (IEEE 1366) whose number nothing names, warned of when an agreement is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.measures import ANY

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.config.agreements.agreement_shape import AgreementShape
    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import OutagesShape
    from monitor.core.agreements.objectives import Objective

_BY_NUMBER: Final = frozenset({"caidi", "caidi_net"})
"""The figures of the customers that were interrupted: how many are served is not in them."""
_HINT: Final = "name how many under served; an outage without customers_affected keeps no promise either"


def warn_of_unknown_customers(shape: AgreementShape, objectives: Sequence[Objective | None], warn: Told) -> None:
    """Warn of measures with promises that need the number of customers served, where the agreement leaves it open.

    How many an outage interrupted only its events can tell; how many are served the agreement may say itself.

    Args:
        shape: the agreement as it is written.
        objectives: its objectives; None for those that are refused.
        warn: takes the path in the agreement, the finding and a hint.
    """
    for number, outages in enumerate(shape.outages):
        promised = sorted({
            one.indicator
            for one in objectives
            if one is not None
            and one.measure == outages.id
            and NAMED[one.indicator].needs in {"customers", "major_days"}
            and one.indicator not in _BY_NUMBER
        })  # fmt: skip
        if not promised or outages.customers is None:
            continue
        at, figures = ("outages", number, "customers"), ", ".join(promised)
        if not outages.customers.served:
            message = f"does not say how many are served: without customers_total in the events {figures} has no value"
            warn(at, message, _HINT)
        elif left := _left_out(outages, shape.covers):
            message = f"does not say how many are served of {', '.join(left)}: {figures} has no value there"
            warn((*at, "served"), message, f"add them, or {ANY!r} for all others")


def _left_out(outages: OutagesShape, covers: dict[str, list[str]]) -> list[str]:
    """Return the values of the first attribute of the series that are covered, and that served does not name."""
    assert outages.customers is not None
    served: Collection[str] = outages.customers.served
    by = ("service",) if outages.by is None else outages.by
    if ANY in served or not by:
        return []
    listed = [set(one[by[0]]) for one in (outages.where, covers) if by[0] in one]
    return sorted(set.intersection(*listed) - set(served)) if listed else []
