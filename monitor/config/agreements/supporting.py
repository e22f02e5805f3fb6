"""Warnings of an SLA and its supporting agreements, at the place of the supporting one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config.reading.quantities import duration_text
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.measures import ANY
from monitor.core.agreements.supporting import too_long

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.config.agreements.document import AgreementDocument
    from monitor.core.agreements.agreement import Agreement
    from monitor.errors import Mistake


def support_warnings(documents: Sequence[AgreementDocument], agreements: Sequence[Agreement]) -> list[Mistake]:
    """Return probable mistakes: support of an agreement that is not there, and budgets that do not fit together."""
    clocks = {
        one.id: {rule.id for other in agreements if other.id == one.id for rule in other.clocks} for one in agreements
    }
    warnings = []
    for document in documents:
        for support in document.agreement.supports:
            at = ("supports", support.agreement)
            if support.agreement not in clocks:
                hint = did_you_mean(support.agreement, clocks) or "give its file too"
                warnings.append(document.source.mistake(at, f"there is no agreement {support.agreement!r} here", hint))
                continue
            for clock in support.clocks:
                if clock not in clocks[support.agreement]:
                    message = f"{support.agreement} has no clock {clock!r}"
                    warnings.append(
                        document.source.mistake(at, message, did_you_mean(clock, clocks[support.agreement]))
                    )
    of = {document.agreement.id: document for document in documents}
    for one in too_long(agreements):
        priority = "all other priorities" if one.priority == ANY else f"priority {one.priority}"
        hours = "the same open hours" if one.same_hours else "the open hours of each one's own calendar, not compared"
        message = (
            f"for {priority} they add up to {duration_text(one.supporting_ms)} ({', '.join(one.supporting)}), but "
            f"{one.clock} of {one.sla} has {duration_text(one.budget_ms)}, in {hours}"
        )
        source = of[one.supporting[-1]].source
        warnings.append(source.mistake(("supports",), message, "who supports an agreement needs less time than it"))
    return warnings
