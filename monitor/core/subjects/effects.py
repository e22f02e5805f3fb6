"""What the fold of a batch, or of the passing of time, made happen in a source partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.alerts.alert import Alert
    from monitor.core.series.series import Pane, PaneKey


class Effects(NamedTuple):
    """What a batch or the time made happen.

    ``panes`` are those that changed, in the order in which they are to be sent; None: the part is gone. They are the
    rows themselves, which the next batch changes: encode or copy them before. ``rejected`` names the place in the batch
    and the reason of each event that the ledger did not take. ``repeats`` counts events that were known;
    ``too_late`` changes of figures whose pane is no longer kept; ``divided`` parts that were made of panes which did
    not fit one row; ``together`` late facts that were not told one by one. ``put`` are the keys of other panes that
    changed: those whose rows the caller has put (`Sums.put`).
    """

    alerts: list[Alert]
    panes: dict[PaneKey, Pane | None]
    rejected: list[tuple[int, str]]
    repeats: int = 0
    too_late: int = 0
    divided: int = 0
    together: int = 0
    put: Sequence[bytes] = ()
