"""Events of a mapping that start and stop the same clock at the same instant of the same rows: each clock takes 0 s.

Often this is a mistake: two events of one column. But a file that tells when a lead was contacted, and not when it was
handed over, has no other instant to give, and its other figures are right. So it is a warning. `at_once` names the
clocks, which no agreement should promise by such a file.
"""

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
    """Yield a warning for each event that stops a clock at the very instant at which another event starts it."""
    for start, place, stopped in _pairs(mapping):
        message = f"stops {', '.join(stopped)} at the instant at which {start!r} starts it: always after 0 s"
        hint = "take the time from another column, or promise nothing of it"
        yield document.mistake(("events", place, "at"), message, hint)


def at_once(mapping: RowMapping) -> dict[str, str]:
    """Return the metrics whose clocks stop at the instant at which they start, each with the event that stops it."""
    return {name: mapping.events[place].type for _, place, stopped in _pairs(mapping) for name in stopped}


def _pairs(mapping: RowMapping) -> Iterator[tuple[str, int, list[str]]]:
    """Yield the type that starts clocks, the place of the event that stops them at once, and the clocks' metrics."""
    metrics = METRICS.get(mapping.subject, {})
    for (_, start), (place, stop) in permutations(enumerate(mapping.events), 2):
        if _always_together(start, stop):
            stopped = [name for name, one in metrics.items() if start.type in one.start and stop.type in one.stop]
            if stopped:
                yield start.type, place, stopped


def _always_together(one: EventRule, other: EventRule) -> bool:
    """Return whether the same rows make both events, at the same instant."""
    return (one.at, one.when, one.rows, one.each) == (other.at, other.when, other.rows, other.each)
