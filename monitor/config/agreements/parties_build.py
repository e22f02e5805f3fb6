"""Parties and service details of agreement files: two or more parties, among them a provider and a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.agreements.parties import Party

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.agreement_shape import AgreementShape
    from monitor.config.agreements.parties_shape import ServiceShape

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path in the agreement, what is wrong there, and a hint."""

_ROLES = ("provider", "customer")


def parties(shape: AgreementShape, told: Told) -> tuple[Party, ...]:
    """Return the parties, after reporting their mistakes; without ``parties`` the provider and the customer."""
    if not shape.parties:
        return (Party(shape.provider, "provider"), Party(shape.customer, "customer"))
    found = [
        Party(one.name, one.role, tuple(one.does), one.demarcation or "", tuple(one.teams)) for one in shape.parties
    ]
    if len(found) == 1:
        told(("parties",), "names one party only", "an agreement has two or more: a provider and a customer at least")
    for number, one in enumerate(found):
        if one.name in [other.name for other in found[:number]]:
            told(("parties", number, "name"), f"{one.name!r} is named twice", "give a party one entry with all it does")
        for place, team in enumerate(one.teams):
            owner = next((other.name for other in found[:number] if team in other.teams), None)
            if owner is not None:
                told(("parties", number, "teams", place), f"{team!r} is a team of {owner} already", "name it once")
    for role in _ROLES:
        names = [one.name for one in found if one.role == role]
        said = shape.provider if role == "provider" else shape.customer
        if not names:
            told(("parties",), f"no party has the role {role!r}", f"add an entry with role: {role}")
        elif said != ", ".join(names) and said not in names:
            told((role,), f"{said!r} is no party with the role {role!r}", f"leave it out, or write {names[0]}")
    return tuple(found)


def details(shape: ServiceShape, told: Told) -> dict[str, str]:
    """Return the details of a service by their names, after reporting names that have a field of their own."""
    own = {
        "type": shape.type, "equipment_care": shape.equipment_care, "connectivity": shape.connectivity,
        "bandwidth": shape.bandwidth,
    }  # fmt: skip
    for name in shape.details:
        if name in own:
            told(("service", "details", name), "has a field of its own", f"write it beside name: {name}: …")
    return {name: value for name, value in own.items() if value is not None} | shape.details
