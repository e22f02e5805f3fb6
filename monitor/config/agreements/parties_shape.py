"""The format of an agreement's ``parties:`` and ``service:``: who does what, and what is provided."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.config.agreements.agreement_fields import no_repeats, one_or_more
from monitor.config.reading.shape import Shape, Text

BindingWord = Literal["contract", "informal"]
Texts = Annotated[list[Text], BeforeValidator(one_or_more), AfterValidator(no_repeats)]


class PartyShape(Shape):
    """One party: its share of the work, and the point at which its responsibility ends."""

    name: Text
    role: Text
    does: Texts = Field(default_factory=list)
    demarcation: Text | None = None
    teams: Texts = Field(default_factory=list)


class ServiceShape(Shape):
    """The service. A text alone is its name. ``details`` are free; the other fields are those of network services."""

    name: Text
    type: Text | None = None
    equipment_care: Text | None = None
    connectivity: Text | None = None
    bandwidth: Text | None = None
    details: dict[Text, Text] = Field(default_factory=dict)


def _named(value: object) -> object:
    return value if isinstance(value, dict) else {"name": value}


ServiceField = Annotated[ServiceShape, BeforeValidator(_named)]


def with_short_forms(document: object) -> object:
    """Return a document in which ``provider`` and ``customer`` are there: if left out, the parties with these roles.

    Without a party of the role the key stays away, and is missed like any other that must be there.
    """
    if not isinstance(document, dict) or not isinstance(document.get("parties"), list):
        return document
    found: dict[str, Any] = dict(document)
    for role in ("provider", "customer"):
        names = [
            one["name"]
            for one in document["parties"]
            if isinstance(one, dict) and one.get("role") == role and isinstance(one.get("name"), str)
        ]
        if document.get(role) is None and names:
            found[role] = ", ".join(names)
    return found
