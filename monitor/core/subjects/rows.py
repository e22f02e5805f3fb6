"""The row of a subject: its ledger and its clocks, under the key of its kind and id.

Rows are NamedTuples: the wire encodes them as compact arrays and decodes them back in C.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.clocks.clock_value import Clock
from monitor.core.facts.events import Fact, Value
from monitor.core.series.series import Change


class SubjectRow(NamedTuple):
    """All that is kept of one ticket, call, outage or lead.

    ``wake_ms`` is the next instant at which it needs attention (0: none); ``stamp`` the book under which the clocks
    were folded. ``facts`` is the ledger, ordered. ``attributes`` are the newest values that the facts brought; empty
    where the newest fact brought them all, as most do (`known`). ``shown`` are the changes that calls, outages, leads
    and incomplete tickets have in their series at present (what clocks have there follows from the clocks). ``gone``
    are clocks of which something was told and that late facts undid, as cancelled ones: if they come back, the ids of
    what they tell are new ones.
    """

    wake_ms: int
    stamp: int
    facts: list[Fact]
    attributes: dict[str, Value]
    clocks: list[Clock]
    shown: list[Change]
    ended_ms: int = 0
    gone: tuple[Clock, ...] = ()

    def known(self) -> dict[str, Value]:
        """Return the newest value of each attribute."""
        return self.attributes or (self.facts[-1].attributes if self.facts else {})


SUBJECT: Final = b"s"
"""The first byte of the keys of subjects' rows."""


def subject_key(subject_id: str) -> bytes:
    """Return the row key of a subject."""
    return SUBJECT + subject_id.encode()
