"""Who asks, as the proxy in front says in headers: an OIDC proxy (oauth2-proxy, Authelia, …) has signed him in.

Anybody can write headers, so they count from the addresses of the proxy only. Twice the same header counts as none: a
proxy that adds its own to that of a client leaves open which one is its own.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import Final

from fastapi import Request

from monitor.config.settings.pages import PagesSettings, ProxyRoleSettings, is_loopback
from monitor.pages.viewers import Viewer
from monitor.wire.fields import has_control
from monitor.wire.visible import printable

log = logging.getLogger(__name__)

LONGEST_NAME: Final = 200
LONGEST_HEADER: Final = 8_192
UNKNOWN_ADDRESS: Final = "an unknown address"


class Proxy:
    """Knows viewers by the headers of a trusted proxy; it is trusted where the settings say."""

    def __init__(self, settings: PagesSettings) -> None:
        self._networks = [ipaddress.ip_network(one) for one in settings.proxy_addresses]
        self._user, self._groups = settings.proxy_user_header, settings.proxy_groups_header
        self._roles = settings.proxy_roles
        self._hosts = frozenset(one.lower() for one in settings.hosts)
        self._has_warned = False

    @property
    def is_set(self) -> bool:
        """Whether any address is trusted."""
        return bool(self._networks)

    def who(self, request: Request) -> Viewer | None:
        """Return whom the proxy names; None if it names nobody with a role, or if the request is not from the proxy."""
        name = _only(request, self._user)
        if not self.is_set or name is None:
            return None
        if not self._trusts(request):
            self._warn(request)
            return None
        groups = {one.strip() for one in (_only(request, self._groups) or "").split(",")}
        found = next((one for one in self._roles if one.user == name or one.group in groups), None)
        return None if found is None else _viewer(found, name)

    def address(self, request: Request) -> str:
        """Return from where somebody asks: what the proxy says of its client, else who is at the other end."""
        peer = request.client.host if request.client is not None else UNKNOWN_ADDRESS
        # The last one is the proxy's own word; those before it are the client's.
        told = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        return told[:LONGEST_NAME] if told and self.is_set and self._trusts(request) else peer

    def _trusts(self, request: Request) -> bool:
        if request.client is None:
            return False
        try:
            peer = ipaddress.ip_address(request.client.host)
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        if not any(peer in one for one in self._networks):
            return False
        # A browser on this machine may be made to ask here by a page of another site, under a name of that site (DNS
        # rebinding), with any header: from this machine the name must be ours.
        name = (request.url.hostname or "").lower()
        return not peer.is_loopback or is_loopback(name) or name in self._hosts

    def _warn(self, request: Request) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        log.warning(
            "%s names a user in %s and is no address in pages.proxy_addresses, or asks for a name that is not in "
            "pages.hosts: such headers are ignored (said once)",
            printable(self.address(request).encode()),
            self._user,
        )


def _only(request: Request, header: str) -> str | None:
    """Return a header that is there once, and a name as people have it."""
    values = request.headers.getlist(header)
    if len(values) != 1:
        return None
    text = values[0].encode("latin-1").decode("utf-8", "replace").strip()
    return None if not text or len(text) > LONGEST_HEADER or has_control(text) else text


def _viewer(one: ProxyRoleSettings, name: str) -> Viewer:
    return Viewer(one.role, name[:LONGEST_NAME], frozenset(one.agreements), frozenset(one.customers), via="proxy")
