"""Settings of the web pages: where they are served, who may see them, and how much they keep and let readers take."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.reading.shape import Shape, Text, wrong
from monitor.config.settings.web import Port

_HASH = 64
_HEX = frozenset("0123456789abcdef")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


def _hash(value: str) -> str:
    if len(value) != _HASH or not _HEX.issuperset(value):
        raise wrong("is no SHA-256 of a token", "sla-monitor web --new-token makes a token, and the line for here")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise wrong(f"is no address or network of a proxy: {value!r}", "10.0.0.5, or a network: 10.0.0.0/24") from None
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise wrong(f"is no name of a header: {value!r}", "X-Forwarded-User")
    return value


Network = Annotated[Text, AfterValidator(_network)]
Header = Annotated[Text, AfterValidator(_header)]


class RoleSettings(Shape):
    """A role, and what whoever has it may see."""

    role: Literal["operator", "manager", "customer"]
    agreements: list[Text] = Field(default_factory=list)
    customers: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_narrow_enough(self) -> Self:
        if self.role == "customer" and not (self.agreements and self.customers):
            raise wrong("a customer's line names no agreements or no customers", "name both: others stay hidden")
        if self.role == "operator" and (self.agreements or self.customers):
            raise wrong("an operator sees all agreements and customers", "make it a manager, or leave them out")
        if self.role == "manager" and self.customers:
            raise wrong("a manager sees all customers of his agreements", "leave customers out")
        return self


class TokenSettings(RoleSettings):
    """A token by its hash, and what whoever has it may see."""

    name: Text
    sha256: Annotated[Text, AfterValidator(_hash)]


class ProxyRoleSettings(RoleSettings):
    """The role of a group, or of one user, that the proxy names."""

    group: Text | None = None
    user: Text | None = None

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.group is None) == (self.user is None):
            raise wrong("is the role of nobody, or of two", "name either a group or a user")
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
        default="127.0.0.1",
        description="Address that the pages are served on; another one needs pages.tokens or pages.proxy_addresses.",
    )
    port: Port = Field(default=6080, description="Port of the pages; 0 takes a free one.")
    tokens: list[TokenSettings] = Field(
        default_factory=list,
        description="Who may see the pages: each {name: …, sha256: …, role: operator|manager|customer}.",
    )
    hosts: list[Text] = Field(
        default_factory=list,
        description="Names under which a proxy on this machine asks for the pages.",
    )
    proxy_addresses: list[Network] = Field(
        default_factory=list,
        description="Addresses or networks of the proxy that signs people in; its headers count from there only.",
    )
    proxy_user_header: Header = Field(
        default="X-Forwarded-User", description="The proxy's header with the user's name."
    )
    proxy_groups_header: Header = Field(
        default="X-Forwarded-Groups", description="The proxy's header with the user's groups, with commas between them."
    )
    proxy_roles: list[ProxyRoleSettings] = Field(
        default_factory=list,
        description="Whom the proxy may name: each {group: …} or {user: …} with a role as in tokens; the first holds.",
    )
    respond: bool = Field(
        default=False, description="Whether operators who are signed in may acknowledge and silence from the pages."
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

    @property
    def asks(self) -> bool:
        """Whether readers have to say who they are."""
        return bool(self.tokens or self.proxy_addresses)

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> PagesSettings:
        if not self.asks and not is_loopback(self.host):
            raise wrong(
                f"would serve the pages on {self.host} to everybody: no tokens are set",
                "name pages.tokens (sla-monitor web --new-token) or pages.proxy_addresses, or keep 127.0.0.1",
            )
        if self.proxy_addresses and not self.proxy_roles:
            raise wrong("trusts a proxy, and gives nobody a role", "name pages.proxy_roles")
        if self.proxy_roles and not self.proxy_addresses:
            raise wrong("gives roles, and trusts no proxy", "name pages.proxy_addresses")
        if self.respond and not self.asks:
            raise wrong(
                "would let everybody acknowledge and silence: nobody is signed in",
                "name pages.tokens or pages.proxy_addresses, or leave respond out",
            )
        names = [one.name for one in self.tokens]
        if len(set(names)) < len(names) or len({one.sha256 for one in self.tokens}) < len(names):
            raise wrong("two tokens have the same name or hash", "give each reader a token of his own")
        return self
