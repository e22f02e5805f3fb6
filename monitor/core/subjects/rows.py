"""The row of a subject: its ledger and its clocks, under the key of its kind and id.

Rows are NamedTuples: the wire encodes them as compact arrays and decodes them back in C.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.clocks.clock_value import Clock
from monitor.core.facts.events import Fact, Value
from monitor.core.series.series import Change


class SubjectRow(NamedTuple):
    """The stored state of one ticket, call, outage or lead.

    ``wake_ms`` is the next instant at which the subject needs work without an event (0: none). ``stamp`` identifies the
    book under which the clocks were folded. ``facts`` is the ledger, ordered. ``attributes`` are the newest values that
    the facts brought; it is empty if the newest fact brought all of them, as most facts do (`known`). ``shown`` are the
    present contributions of a call, outage, lead or incomplete ticket to its series; contributions of clocks are not
    stored, because they follow from the clocks. ``gone`` are clocks that were announced and that late facts undid,
    kept as cancelled: if such a clock comes back, its announcements get new ids.
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
PANE: Final = b"p"
"""The first byte of the keys of panes."""


def subject_key(subject_id: str) -> bytes:
    """Return the row key of a subject."""
    return SUBJECT + subject_id.encode()
