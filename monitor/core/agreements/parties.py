"""The parties of an agreement: who they are, and who does which part of the work (domain.md §1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Binding = Literal["", "contract", "informal"]
"""Whether an agreement is a contract or an informal one; "" is not stated. Both are measured alike."""


class Party(NamedTuple):
    """A party of an agreement: its name, its role (provider, customer, supplier …) and its share of the work.

    ``does`` lists its tasks, ``demarcation`` is the point at which its responsibility ends. ``teams`` are the values of
    the attribute ``team`` under which events name it.
    """

    name: str
    role: str
    does: tuple[str, ...] = ()
    demarcation: str = ""
    teams: tuple[str, ...] = ()


def by_party(parties: Iterable[Party], teams: Mapping[str, int]) -> dict[str, int]:
    """Return the time of each party, from the time of each team; empty if no party names any of these teams.

    Teams of no party are kept under their own names, so that the times still add up.
    """
    of = {team: one.name for one in parties for team in one.teams}
    if not of.keys() & teams.keys():
        return {}
    found: dict[str, int] = {}
    for team, elapsed_ms in teams.items():
        name = of.get(team, team)
        found[name] = found.get(name, 0) + elapsed_ms
    return found
