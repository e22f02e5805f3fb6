"""Events of a mapping that start and stop the same clock at the same instant of the same rows: each would take 0 s."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from monitor.core.agreements.clock_metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config.reading.yaml_file import YamlDocument
    from monitor.errors import Mistake
    from monitor.wire.mapping_rules import EventRule, RowMapping


def starts_that_stop(mapping: RowMapping, document: YamlDocument) -> Iterator[Mistake]:
    """Yield a mistake for each event that stops a clock at the very instant at which another event starts it."""
    metrics = METRICS.get(mapping.subject, {})
    for (_, start), (place, stop) in permutations(enumerate(mapping.events), 2):
        if _always_together(start, stop):
            stopped = [name for name, one in metrics.items() if start.type in one.start and stop.type in one.stop]
            if stopped:
                message = (
                    f"stops {', '.join(stopped)} at the instant at which {start.type!r} starts it: always after 0 s"
                )
                yield document.mistake(("events", place, "at"), message, "take the time from another column")


def _always_together(one: EventRule, other: EventRule) -> bool:
    """Return whether the same rows make both events, at the same instant."""
    return (one.at, one.when, one.rows, one.each) == (other.at, other.when, other.rows, other.each)
