"""Reasons for which an announcement, or an answer to it (acknowledgement, silence), led to no notice."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from monitor.core.alerts.alert import Alert

NotToldReason = Literal[
    "no_on_call",
    "no_agreement",
    "nobody_named",
    "backfill",
    "too_old",
    "superseded",
    "silenced",
    "acknowledged",
    "ended_before_notice",
    "never_told",
]

MEANINGS: Final[dict[NotToldReason, str]] = {
    "no_on_call": "its agreement names nobody at all under notify",
    "no_agreement": "no version of its agreement is in force now",
    "nobody_named": "its agreement names nobody to be told of this state",
    "backfill": "it was announced long after it had happened",
    "too_old": "it was read longer after it had happened than notices are tried for",
    "superseded": "its breach was announced before this warning",
    "silenced": "a silence mutes it; it is told when the silence ends, if it still stands",
    "acknowledged": "somebody looks after it: no further step of the ladder, and no repeat",
    "ended_before_notice": "it ended before its first notice was made",
    "never_told": "it ended, and no receiver had been told that it began",
}
"""Each reason in words, for people."""

COUNTED_ONLY: Final[frozenset[NotToldReason]] = frozenset({"no_on_call"})
"""Reasons that are counted and not written down, for the agreement says it of all its alerts. In an installation
without on-call every announcement would be written twice."""


class NotTold(NamedTuple):
    """A decision not to notify: one for each announcement without a notice, and one for each answer that stops notices.

    ``until_ms`` is when the decision is made again (the end of a silence); None: nothing is planned.
    """

    alert: Alert
    reason: NotToldReason
    at_ms: int
    until_ms: int | None = None
