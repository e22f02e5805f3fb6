"""A proxy signs people in, and says in headers who asks. Anybody can write headers."""

from __future__ import annotations

import httpx
import pytest

from monitor.errors import ConfigError
from monitor.pages.access import Access
from monitor.pages.app import make_app
from tests.pages.test_access import settings_of

PROXY = """
  proxy_addresses: [10.0.0.0/24, "127.0.0.1"]
  proxy_roles:
    - {user: robin@it.example, role: operator}
    - {group: managers, role: manager, agreements: [call-centre]}
    - {group: finance, role: customer, agreements: [it-service-desk], customers: [finance]}
"""
SETTINGS = f"pages:\n  host: 0.0.0.0\n  hosts: [board.example]{PROXY}"
ROBIN = {"X-Forwarded-User": "robin@it.example"}


@pytest.fixture
def app(site, read_row, tmp_path):
    return make_app(site, read_row, Access.of(settings_of(tmp_path, SETTINGS)))


async def asked(app, headers, *, peer="10.0.0.7", host="board.example", address="/agreements"):
    """What a peer is answered that sends these headers."""
    transport = httpx.ASGITransport(app, client=(peer, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as asking:
        return await asking.get(address, headers=headers)


async def test_whom_the_proxy_names_sees_what_the_role_of_his_group_or_name_may_see(app):
    robin = await asked(app, ROBIN)
    assert "robin@it.example" in robin.text
    assert "network-operator" in robin.text
    assert "Sign out" not in robin.text  # that is the proxy's

    imke = (await asked(app, {"X-Forwarded-User": "imke", "X-Forwarded-Groups": "staff, managers"})).text
    assert "call-centre" in imke
    assert "network-operator" not in imke

    dana = {"X-Forwarded-User": "Dana Müller".encode(), "X-Forwarded-Groups": "finance"}
    assert "Dana Müller" in (await asked(app, dana)).text
    assert (await asked(app, dana, address="/api/v1/alerts")).json()["items"] == []


@pytest.mark.parametrize("peer", ["10.0.1.7", "192.0.2.1", "2001:db8::1", "::ffff:10.0.1.7", "unix"])
async def test_headers_from_anywhere_else_are_ignored(app, peer, caplog):
    answer = await asked(app, ROBIN, peer=peer)
    assert answer.status_code == 403
    assert "network-operator" not in answer.text
    await asked(app, ROBIN, peer=peer)
    assert [peer in one.getMessage() for one in caplog.records if "pages.proxy_addresses" in one.getMessage()] == [True]


async def test_an_address_of_the_proxy_may_be_written_as_ipv6(app):
    assert (await asked(app, ROBIN, peer="::ffff:10.0.0.7")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-User", "dana"), ("X-Forwarded-User", "robin@it.example")],
        [("X-Forwarded-User", "eve"), ("X-Forwarded-Groups", "guests"), ("X-Forwarded-Groups", "managers")],
        [("X-Forwarded-User", "eve"), ("X-Forwarded-Groups", "managers2")],
        [("X-Forwarded-User", "")],
        [("X-Forwarded-Groups", "managers")],
        [("X-Forwarded-User", "robin@it.example" + "x" * 9_000)],
        [],
    ],
    ids=["two users", "two lists of groups", "a group like it", "an empty name", "nobody", "a very long name", "none"],
)
async def test_what_is_ambiguous_or_names_nobody_is_refused(app, headers):
    answer = await asked(app, headers)
    assert (answer.status_code, "call-centre" in answer.text) == (403, False)


async def test_from_this_machine_the_name_must_be_ours_or_a_page_of_another_site_could_ask(app):
    for host, status in (("board.example", 200), ("localhost:6080", 200), ("evil.example", 403)):
        assert (await asked(app, ROBIN, peer="127.0.0.1", host=host)).status_code == status, host


async def test_whoever_the_proxy_does_not_know_may_still_have_a_token(site, read_row, tmp_path):
    token = "{name: Tool, role: manager, sha256: " + "a" * 64 + "}"
    app = make_app(site, read_row, Access.of(settings_of(tmp_path, f"{SETTINGS}  tokens: [{token}]\n")))
    assert (await asked(app, {})).headers["location"] == "/sign-in"
    assert "robin@it.example" in (await asked(app, ROBIN)).text
    assert (await asked(app, ROBIN, peer="192.0.2.1")).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pages: {proxy_addresses: [10.0.0.0/8]}", "gives nobody a role"),
        ("pages: {proxy_roles: [{user: a, role: operator}]}", "trusts no proxy"),
        ("pages: {proxy_addresses: [a.example], proxy_roles: [{user: a, role: operator}]}", "no address or network"),
        ("pages: {proxy_addresses: [10.0.0.1], proxy_roles: [{role: operator}]}", "role of nobody"),
        ("pages: {proxy_addresses: [10.0.0.1], proxy_roles: [{user: a, group: b, role: operator}]}", "or of two"),
        ("pages: {proxy_user_header: 'A:'}", "is no name of a header"),
        ("pages: {proxy_addresses: [10.0.0.1], proxy_roles: [{user: a, role: customer}]}", "no agreements"),
    ],
)  # fmt: skip
def test_settings_of_a_proxy_that_would_open_too_much_or_nothing_are_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        settings_of(tmp_path, text)
