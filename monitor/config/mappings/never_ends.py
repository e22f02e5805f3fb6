"""Outages of a mapping that never end: their restoration still names those who were without service at the beginning.

A ``restored`` that names a weight or affected customers is one step of a stepwise restoration (`monitor.core.outages`).
Attributes of all events are attributes of it, too, so a mapping easily says that nobody got service back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config.reading.yaml_file import YamlDocument
    from monitor.wire.mapping_rules import RowMapping

_STILL_WITHOUT: Final = ("customers_affected", "weight")


def restorations_that_end_nothing(mapping: RowMapping, document: YamlDocument) -> Iterator[Mistake]:
    """Yield a warning for each ``restored`` that names what is still down, from the source of ``started``.

    Rows of groups are left alone: there, a later row may say it anew.
    """
    if mapping.group:
        return
    begins = [rule for rule in mapping.events if rule.type == "started"]
    for place, rule in enumerate(mapping.events):
        if rule.type != "restored":
            continue
        for name in _STILL_WITHOUT:
            source = rule.attributes.get(name)
            if source is not None and any(source == start.attributes.get(name) for start in begins):
                message = (
                    f"ends no outage: it still has the {name} of started, so it is a step of a stepwise restoration"
                )
                hint = f"give {name} to started alone, under its own attributes"
                yield document.mistake(("events", place), message, hint)
