"""The schedule of statistics of agreement files: measures that exist, periods that are stated, people who are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.agreement import Rights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.agreement_shape import AgreementShape
    from monitor.core.agreements.measures import Measure

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path in the agreement, what is wrong there, and a hint."""


def reports(shape: AgreementShape, measures: Sequence[Measure], wrong: Told, warn: Told) -> tuple[Rights, ...]:
    """Return who gets which statements when, after reporting mistakes and what does nothing."""
    ids = {one.id: one for one in measures}
    people = _people(shape)
    found: list[Rights] = []
    for number, one in enumerate(shape.reports):
        at = ("reports", number)
        for place, name in enumerate(one.statistics):
            if name not in ids:
                wrong((*at, "statistics", place), f"there is no measure {name!r}", did_you_mean(name, ids))
        stated = [ids[name] for name in one.statistics if name in ids] or measures
        if not any(window.name == one.every for measure in stated for window in measure.windows):
            warn((*at, "every"), f"nothing has the window {one.every!r}: there is nothing to report", "")
        for place, name in enumerate(one.to):
            if name not in people:
                warn((*at, "to", place), f"{name!r} is neither a party nor a contact", did_you_mean(name, people))
        found.append(Rights(tuple(one.to), one.every, tuple(one.statistics), one.within or 0))
    return tuple(found)


def _people(shape: AgreementShape) -> set[str]:
    """Return the names and roles of parties and contacts."""
    parties = {"provider", shape.provider, "customer", shape.customer}
    parties |= {word for one in shape.parties or () for word in (one.name, one.role)}
    return parties | {word for one in shape.contacts for word in (one.role, one.name) if word}
