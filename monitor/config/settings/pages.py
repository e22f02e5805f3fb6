"""Settings of the web pages: where they are served, who may see them, and how much they keep and let readers take."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from monitor.config.reading.shape import Shape, Text, wrong
from monitor.config.settings.web import Port

_HASH = 64
_HEX = frozenset("0123456789abcdef")


def _hash(value: str) -> str:
    if len(value) != _HASH or not _HEX.issuperset(value):
        raise wrong("is no SHA-256 of a token", "sla-monitor web --new-token makes a token, and the line for here")
    return value


class TokenSettings(Shape):
    """A token by its hash, and what whoever has it may see."""

    name: Text
    sha256: Annotated[Text, AfterValidator(_hash)]
    role: Literal["operator", "manager", "customer"]
    agreements: list[Text] = Field(default_factory=list)
    customers: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_narrow_enough(self) -> TokenSettings:
        if self.role == "customer" and not (self.agreements and self.customers):
            raise wrong("a customer's token names no agreements or no customers", "name both: others stay hidden")
        if self.role == "operator" and (self.agreements or self.customers):
            raise wrong("an operator sees all agreements and customers", "make it a manager, or leave them out")
        if self.role == "manager" and self.customers:
            raise wrong("a manager sees all customers of his agreements", "leave customers out")
        return self


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class PagesSettings(Shape):
    """Where `sla-monitor web` serves its pages, to whom, and its limits."""

    host: Text = Field(
        default="127.0.0.1", description="Address that the pages are served on; another one needs pages.tokens."
    )
    port: Port = Field(default=6080, description="Port of the pages; 0 takes a free one.")
    tokens: list[TokenSettings] = Field(
        default_factory=list,
        description="Who may see the pages: each {name: …, sha256: …, role: operator|manager|customer}.",
    )
    hosts: list[Text] = Field(
        default_factory=list,
        description="Names under which a proxy on this machine asks for the pages, where there are no tokens.",
    )
    secure_cookie: bool = Field(
        default=True, description="Whether browsers send the sign-in over TLS only (and to this machine)."
    )
    max_connections: Annotated[int, Field(ge=2, le=10_000)] = Field(
        default=256, description="Connections to the pages at once; more are refused with 503."
    )
    max_streams: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="Pages that are kept live at once; more are told to ask again later."
    )
    keep_alerts: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        default=20_000, description="Alerts that the pages keep in memory, the newest ones."
    )
    keep_statements: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=36, description="Statements of each series and window that the pages keep in memory."
    )

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> PagesSettings:
        if not self.tokens and not is_loopback(self.host):
            raise wrong(
                f"would serve the pages on {self.host} to everybody: no tokens are set",
                "name pages.tokens (sla-monitor web --new-token), or keep 127.0.0.1",
            )
        names = [one.name for one in self.tokens]
        if len(set(names)) < len(names) or len({one.sha256 for one in self.tokens}) < len(names):
            raise wrong("two tokens have the same name or hash", "give each reader a token of his own")
        return self
