"""Warnings of equally specific levels, at the place of the one that does not win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.agreements.overlap import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.config.agreements.document import AgreementDocument
    from monitor.core.agreements.agreement import Agreement
    from monitor.errors import Mistake


def overlap_warnings(
    documents: Iterable[AgreementDocument], agreements: Iterable[Agreement]
) -> list[tuple[AgreementDocument, AgreementDocument, Mistake]]:
    """Return the pairs of versions, winner first, that bind the same subjects, each with its warning."""
    of = {(one.agreement.id, one.agreement.version): one for one in documents}
    found = []
    for one in overlaps(agreements):
        winner = of[one.winner.id, one.winner.version]
        loser = of[one.loser.id, one.loser.version]
        line = winner.source.line_of(("covers",))
        place = f"{winner.source.file}:{line}" if line else winner.source.file
        shared = "; ".join(f"{name} {', '.join(sorted(values))}" for name, values in sorted(one.shared.items()))
        message = (
            f"{loser.name} and {winner.name} ({place}) bind the same subjects ({shared or 'all'}) at the same level: "
            f"{one.winner.id} wins, since its id comes first"
        )
        hint = "let only one of them cover these, or put one under the other"
        found.append((winner, loser, loser.source.mistake(("covers",), message, hint)))
    return found
