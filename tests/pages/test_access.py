"""Who sees what: tokens, roles, and a law: whoever asks for everything finds nothing of others."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from monitor.config.settings.settings import load_settings
from monitor.errors import ConfigError
from monitor.pages.access import Access, hash_of, new_token
from monitor.pages.app import make_app

OPERATOR, MANAGER, CUSTOMER = "operator-token", "manager-token", "customer-token"
SETTINGS = f"""
pages:
  host: 0.0.0.0
  tokens:
    - {{name: Robin, role: operator, sha256: {hash_of(OPERATOR)}}}
    - {{name: Imke, role: manager, agreements: [call-centre], sha256: {hash_of(MANAGER)}}}
    - {{name: Dana, role: customer, agreements: [it-service-desk, call-centre], customers: [finance],
       sha256: {hash_of(CUSTOMER)}}}
"""
OF_OTHERS = ("logistics", "network-operator", "carrier", "second-line", "sales-and-marketing")
"""What Dana's agreements and her own series do not name."""


def settings_of(tmp_path, text):
    file = tmp_path / "settings.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {}).pages


@pytest.fixture
def app(site, read_row, clocks, tmp_path):
    async def read_due():
        return clocks

    return make_app(site, read_row, Access.of(settings_of(tmp_path, SETTINGS)), read_due=read_due)


def client(app, token=None, **cookies):
    """A browser: it says that its forms stand on pages of ours."""
    headers = {"Sec-Fetch-Site": "same-origin"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://pages", headers=headers, cookies=cookies
    )


async def everything(asking, world):
    """Every page and answer that somebody gets who follows all links, and asks for all that there is."""
    alerts = list(world.alerts())
    ahead = ["/", "/agreements", "/alerts", "/statements", "/api/v1/openapi.json"]
    lists = ("status", "alerts", "statements", "agreements", "reports", "due", "arrivals")
    ahead += [f"/api/v1/{name}?size=500" for name in lists]
    ahead += [f"/{kind}agreements/{one.agreement.id}" for one in world.documents() for kind in ("", "api/v1/")]
    subjects = sorted({f"{one.key.kind}/{one.key.what}" for one in alerts if "/" not in one.key.what})
    ahead += [f"/{kind}subjects/{one}" for one in subjects[:10] for kind in ("", "api/v1/")]
    ahead += [
        f"/{kind}reports/{one.agreement.id}/{period}?format={form}{customer}"
        for one in world.documents()
        for kind, period, form, customer in (
            ("", "2026-08", "html", ""),
            ("api/v1/", "2026-08", "csv", ""),
            ("", "2026-08", "csv", "&customer=logistics"),
            ("api/v1/", "2026-09", "csv", "&customer=logistics"),
        )
    ]
    ahead += [f"/?agreement={name}" for name in OF_OTHERS] + ["/?customer=logistics", "/statements?customer=logistics"]
    found = {}
    while ahead and len(found) < 200:
        address = ahead.pop(0)
        answer = await asking.get(address, follow_redirects=True)
        found[address] = answer
        links = {unescape(one).partition("#")[0] for one in re.findall(r'href="(/[^"]*)"', answer.text)}
        ahead += sorted(one for one in links - set(found) - set(ahead) if not re.search("format=(pdf|xlsx)", one))
    return found


async def test_a_customer_who_asks_for_everything_finds_nothing_of_others(app, world):
    async with client(app, CUSTOMER) as dana:
        found = await everything(dana, world)
    told = {address: answer.text for address, answer in found.items() if answer.status_code == 200}
    assert "finance" in told["/statements"]
    assert "finance" in told["/api/v1/reports/it-service-desk/2026-08?format=csv"]
    assert "finance" in told["/reports/it-service-desk/2026-08?format=html"]
    assert "IT service desk for the group" in told["/agreements/it-service-desk"]
    for address, text in told.items():
        # An address that was asked for is repeated in its own filter.
        shown = re.sub(r'<input type="hidden"[^>]*>', "", text)
        assert [name for name in OF_OTHERS if name in shown and name not in address] == [], address
        assert re.findall(r"\b[TOL]-\d{5,6}\b", text) == [], address
    refused = [address for address, answer in found.items() if answer.status_code in (403, 404, 422)]
    assert {"/agreements/network-operator", "/api/v1/agreements/carrier", "/api/v1/status?size=500"} <= set(refused)
    assert {"/api/v1/due?size=500", "/api/v1/arrivals?size=500"} <= set(refused)
    assert all(address in refused for address in found if re.match("(/api/v1)?/subjects/", address))
    of_logistics = {one for one in found if one.endswith("customer=logistics") and "/reports/" in one}
    assert of_logistics
    assert of_logistics <= set(refused)


async def test_the_law_asks_for_every_address_of_the_api(app, world):
    async with client(app, OPERATOR) as robin:
        found = {address.partition("?")[0] for address in await everything(robin, world)}
    paths = app.openapi()["paths"]
    asked = {path for path in paths if any(re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), one) for one in found)}
    assert set(paths) - asked == {"/api/v1/changes"}, "that one never ends"


async def test_a_manager_sees_all_of_his_agreements_and_nothing_else(app, world):
    async with client(app, MANAGER) as imke:
        found = await everything(imke, world)
    told = {address: answer.text for address, answer in found.items() if answer.status_code == 200}
    assert "few-give-up" in told["/"]
    assert found["/api/v1/arrivals?size=500"].status_code == 403, "they are of all customers together"
    due = found["/api/v1/due?size=500"].json()["items"]
    assert {one["agreement"] for one in due} <= {"call-centre"}
    for address, text in told.items():
        assert [name for name in OF_OTHERS if name in text and name not in address] == [], address


async def test_an_operator_sees_all(app, world):
    async with client(app, OPERATOR) as robin:
        page = (await robin.get("/agreements")).text
    assert all(one.agreement.id in page for one in world.documents())


async def test_whoever_has_no_token_sees_the_way_to_sign_in_only(app):
    async with client(app) as nobody:
        for address in ("/", "/alerts", "/agreements/call-centre", "/changes", "/nothing"):
            answer = await nobody.get(address)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), address
        answer = await nobody.get("/api/v1/alerts")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "call-centre" not in (await nobody.get("/sign-in")).text
        assert (await nobody.get("/static/board.css")).status_code == 200
    async with client(app, "wrong") as stranger:
        assert (await stranger.get("/api/v1/alerts")).status_code == 401


async def test_a_browser_signs_in_with_a_cookie_that_scripts_and_other_sites_do_not_have(app):
    async with client(app) as browser:
        assert (await browser.post("/sign-in", data={"token": "wrong"})).status_code == 403
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert (await browser.post("/sign-in", data={"token": OPERATOR}, headers=foreign)).status_code == 403
        assert "Robin" not in (await browser.get("/", follow_redirects=True)).text
        assert (await browser.post("/sign-in", data={"token": "x" * 20_000})).status_code == 403

        answer = await browser.post("/sign-in", data={"token": OPERATOR})
        flags = answer.headers["set-cookie"].lower()
        assert all(flag in flags for flag in ("httponly", "secure", "samesite=strict"))
        assert "Robin" in (await browser.get("/")).text

        await browser.post("/sign-out")
        assert (await browser.get("/")).status_code == 303


async def test_without_tokens_no_other_name_than_this_machines_is_answered(site, read_row):
    app = make_app(site, read_row, Access({}, ["board.example"]))
    for host, status in (
        ("127.0.0.1:6080", 200), ("localhost", 200), ("[::1]:6080", 200), ("board.example", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421),
    ):  # fmt: skip
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}") as asking:
            assert (await asking.get("/agreements")).status_code == status, host


async def test_health_is_told_to_anybody_under_any_name_and_tells_nothing_else(app, source):
    async with client(app) as probe:
        assert (await probe.get("/healthz")).text == "following the topics\n"
        source.failure = "Kafka at secret.example does not answer"
        answer = await probe.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "Kafka cannot be read\n")


def test_a_new_token_is_known_by_its_hash():
    (token, sha256), (other, _) = new_token(), new_token()
    assert (hash_of(token), len(token) >= 43, token != other) == (sha256, True, True)


def one_token(what, times=1):
    token = "{name: A, sha256: " + hash_of("a") + f", {what}" + "}"
    return "pages: {tokens: [" + ", ".join([token] * times) + "]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pages: {host: 0.0.0.0}", "to everybody: no tokens are set"),
        ("pages: {host: board.example}", "to everybody: no tokens are set"),
        ("pages: {tokens: [{name: A, role: operator, sha256: abc}]}", "is no SHA-256"),
        (one_token("role: customer"), "no agreements or no customers"),
        (one_token("role: manager, customers: [x]"), "leave customers out"),
        (one_token("role: operator, agreements: [x]"), "an operator sees all"),
        (one_token("role: chief"), "role"),
        (one_token("role: operator", times=2), "same name or hash"),
    ],
)  # fmt: skip
def test_settings_that_would_show_too_much_are_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        settings_of(tmp_path, text)
