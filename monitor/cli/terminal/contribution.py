"""Who had a clock while its time elapsed, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.wire.times import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.cli.terminal.output import Output
    from monitor.core.subjects.contribution import Contribution


def tell_contribution(out: Output, one: Contribution, parties: Mapping[str, int]) -> None:
    """Print the share of each party, team and state in the elapsed time, the largest first.

    A single name is left out.
    """
    for what, shares in (
        ("party", parties),
        ("team", one.teams),
        ("agent", one.agents),
        ("state", one.states),
        ("paused", one.reasons),
    ):
        if len(shares) > 1:
            largest = sorted(shares.items(), key=lambda share: -share[1])
            out.say(f"  by {what}: " + ", ".join(f"{name or 'none'} {duration(ms)}" for name, ms in largest))
