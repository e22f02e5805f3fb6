"""Filters of the pages: which agreements, series and subjects a reader wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from monitor.core.agreements.agreement import Agreement


class Filters(NamedTuple):
    """The values that are asked for; "" asks for all."""

    agreement: str = ""
    customer: str = ""
    service: str = ""
    team: str = ""
    queue: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything is left out."""
        return any(self)

    @property
    def attributes(self) -> dict[str, str]:
        """The wanted attributes of series and subjects by name: all filters but the agreement."""
        return {name: value for name, value in self._asdict().items() if name != "agreement" and value}

    def query(self, **more: str) -> str:
        """Return the query string of an address with these filters: ``?customer=hr``, or "" for none."""
        named = {name: value for name, value in {**self._asdict(), **more}.items() if value}
        return f"?{urlencode(named)}" if named else ""


def passes(filters: Filters, agreement_id: str, agreement: Agreement | None, about: Mapping[str, str]) -> bool:
    """Return whether a series or a subject is wanted.

    One that is not split by a wanted attribute passes if its agreement covers the value: its figure is then that of
    several customers (or services …) together. It must not disappear, as that would look as if nothing were broken.
    """
    if filters.agreement and filters.agreement != agreement_id:
        return False
    return all(
        about[name] == value if about.get(name) else _covers(agreement, name, value)
        for name, value in filters.attributes.items()
    )


def together(filters: Filters, about: Mapping[str, str]) -> str:
    """Return the wanted attributes by which a figure is not split, in words: ``all customers``; "" for none."""
    return ", ".join(f"all {name}s" for name in filters.attributes if not about.get(name))


def _covers(agreement: Agreement | None, name: str, value: str) -> bool:
    if agreement is None:
        return False
    allowed = dict(agreement.covers.any_of).get(name)
    return allowed is None or value in allowed


def choices(agreements: Iterable[Agreement], abouts: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the values that can be asked for, by the name of the filter: those covered and those seen."""
    found: dict[str, set[str]] = {name: set() for name in Filters._fields}
    for one in agreements:
        found["agreement"].add(one.id)
        for name, values in one.covers.any_of:
            if name in found:
                found[name].update(str(value) for value in values)
    for about in abouts:
        for name, value in about.items():
            if name in found and name != "agreement" and value:
                found[name].add(value)
    return {name: sorted(values) for name, values in found.items()}
