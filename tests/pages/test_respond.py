"""Acknowledging and silencing from the pages: who may, from where, and what is then on the topic and in the log."""

from __future__ import annotations

import asyncio
import logging
import re
from html import unescape

import httpx
import pytest

from monitor.core.time.units import HOUR_MS
from monitor.errors import BrokerError, ConfigError
from monitor.pages import respond
from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.site import Site
from monitor.wire.responses import Acknowledgement, SilenceResponse
from tests.pages import records
from tests.pages.conftest import FROM_HERE
from tests.pages.test_access import CUSTOMER, MANAGER, OPERATOR, SETTINGS, settings_of
from tests.pages.topic import Topic


@pytest.fixture
def topic(said):
    return Topic(said)


@pytest.fixture
def app(topic, clock, read_row, tmp_path):
    access = Access.of(settings_of(tmp_path, SETTINGS + "  respond: true\n"))
    return make_app(Site(topic, clock, write=topic.write), read_row, access)


def somebody(app, token=OPERATOR, **headers):
    """A browser that has signed in."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("192.0.2.7", 40_000)),
        base_url="https://pages",
        headers=FROM_HERE | headers,
        cookies={"sla-monitor": token},
    )


@pytest.fixture
async def robin(app):
    async with somebody(app) as client:
        yield client


@pytest.fixture
def out(topic, clock):
    """An alert that is out, of the agreement that Imke manages."""
    found = topic.live.overview(clock.now_ms()).out
    return next(one.alert for one in found if one.alert.key.agreement == "call-centre")


async def test_an_acknowledgement_from_the_page_is_the_command_s_and_shows_at_once(robin, topic, clock):
    page = (await robin.get("/alerts")).text
    keys = [unescape(one) for one in re.findall(r'name="key" value="([^"]*)"', page)]
    key = keys[0]

    there = "https://pages/alerts?state=breached"
    answer = await robin.post("/acknowledge", data={"key": key, "note": "on my way"}, headers={"Referer": there})

    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?state=breached")
    assert topic.written == [Acknowledgement(target=key, at_ms=clock.now_ms(), by="Robin", note="on my way")]
    page = (await robin.get("/alerts")).text
    assert "Acknowledged by Robin" in page
    assert "on my way" in page
    assert len(re.findall(r'name="key"', page)) == len(keys) - 1


async def test_the_page_of_a_subject_takes_an_acknowledgement_too(robin, topic, clock):
    one = next(one.alert for one in topic.live.overview(clock.now_ms()).out if one.alert.key.kind == "ticket")
    page = (await robin.get(f"/subjects/ticket/{one.key.what}")).text
    assert one.key.text() in [unescape(key) for key in re.findall(r'name="key" value="([^"]*)"', page)]
    await robin.post("/acknowledge", data={"key": one.key.text()})
    row = re.search(rf'<tr id="c-{one.id}">.*?</tr>', (await robin.get("/?rows=1000")).text, re.DOTALL)[0]
    assert "✓ Robin" in row


async def test_an_alert_that_breaks_after_it_was_acknowledged_may_be_acknowledged_again(robin, topic, out):
    before = Acknowledgement(target=out.key.text(), at_ms=out.at_ms - 1, by="Imke")
    topic.live.take([records.response(before)])
    page = (await robin.get("/alerts", params={"q": out.key.text()})).text
    row = re.search(rf'<tr id="a-{out.id}">.*?</tr>', page, re.DOTALL)[0]
    assert "Acknowledged by Imke" not in row
    assert 'name="key"' in row


async def test_a_silence_is_begun_shown_and_ended_from_the_page(robin, topic, clock):
    asked = {
        "agreement": "call-centre", "promise": "asa", "for": "2h", "label": "queue=sales\r\n\r\n team=a=b \r\n",
        "reason": "fire drill",
    }  # fmt: skip
    assert (await robin.post("/silence", data=asked)).status_code == 303
    (begun,) = topic.written
    assert begun == SilenceResponse(
        id=begun.id, agreement="call-centre", until_ms=clock.now_ms() + 2 * HOUR_MS, at_ms=clock.now_ms(),
        promise="asa", labels={"queue": "sales", "team": "a=b"}, reason="fire drill", by="Robin",
    )  # fmt: skip
    page = (await robin.get("/silences")).text
    assert all(word in page for word in ("fire drill", "asa", "sales", "Robin"))
    assert '<a href="/silences">1 silence</a> in force' in (await robin.get("/")).text

    assert (await robin.post("/silence/expire", data={"id": begun.id})).status_code == 303
    assert topic.written[1:] == [f"silence/{begun.id}".encode()]
    assert "fire drill" not in (await robin.get("/silences")).text
    assert (await robin.post("/silence/expire", data={"id": begun.id})).status_code == 404


async def test_responses_that_are_done_with_are_taken_away_as_the_commands_do(robin, topic, clock, out):
    topic.live.take([records.response(Acknowledgement(target="long/gone", at_ms=clock.now_ms() - 8 * 24 * HOUR_MS))])
    await robin.post("/acknowledge", data={"key": out.key.text()})
    assert topic.written[1:] == [b"ack/long/gone"]


@pytest.mark.parametrize(
    ("address", "form", "status"),
    [
        ("/acknowledge", {"key": "ticket/none/of/these/1"}, 404),
        ("/acknowledge", {}, 404),
        ("/acknowledge", {"key": "x" * 20_000}, 404),
        ("/silence", {"agreement": "none", "for": "2h"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "9999d"}, 422),
        ("/silence", {"agreement": "call-centre"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "label": "sales"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "label": "queue=sales\nteam"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "label": "queue=sales\nqueue=support"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "label": "queue=sa\x07les"}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "reason": "x" * 600}, 422),
        ("/silence", {"agreement": "call-centre", "for": "2h", "reason": "\x1b[31m"}, 422),
        ("/silence/expire", {"id": "none"}, 404),
    ],
)
async def test_what_is_impossible_is_said_and_not_written(robin, topic, address, form, status):
    answer = await robin.post(address, data=form)
    assert (answer.status_code, topic.written) == (status, [])
    assert '<p id="what">' in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": None, "Origin": "https://evil.example"}, {"Sec-Fetch-Site": None, "Origin": "null"},
        {"Sec-Fetch-Site": None, "Origin": "https://pages.evil.example"}, {"Sec-Fetch-Site": None},
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/acknowledge", "/silence", "/silence/expire", "/sign-out"])
async def test_a_form_on_a_page_of_another_site_does_nothing(app, topic, out, address, headers, caplog):
    sent = {name: value for name, value in (FROM_HERE | headers).items() if value is not None}
    async with somebody(app) as robin:
        del robin.headers["Sec-Fetch-Site"]
        form = {"key": out.key.text(), "agreement": "call-centre", "for": "2h"}
        answer = await robin.post(address, data=form, headers=sent)
    assert (answer.status_code, topic.written) == (403, [])
    assert "set-cookie" not in answer.headers
    assert f"refused: {address} of Robin" in caplog.text


async def test_an_older_browser_says_in_origin_where_its_form_stands(app, topic, out):
    async with somebody(app) as robin:
        del robin.headers["Sec-Fetch-Site"]
        await robin.post("/acknowledge", data={"key": out.key.text()}, headers={"Origin": "https://pages"})
    assert [one.by for one in topic.written] == ["Robin"]


@pytest.mark.parametrize(("token", "status"), [(MANAGER, 403), (CUSTOMER, 403), ("wrong", 303)])
async def test_nobody_but_an_operator_writes_or_is_offered_to(app, topic, out, token, status, caplog):
    async with somebody(app, token) as other:
        answer = await other.post("/acknowledge", data={"key": out.key.text()})
        assert (answer.status_code, topic.written) == (status, [])
        assert (await other.post("/silence", data={"agreement": "call-centre", "for": "2h"})).status_code == status
        for address in ("/alerts", "/silences"):
            assert "data-responds" not in (await other.get(address, follow_redirects=True)).text
    refused = [one.event["by"] for one in caplog.records if getattr(one, "event", {}).get("outcome") == "refused"]
    assert len(refused) == (2 if status == 403 else 0)


async def test_a_manager_sees_the_silences_of_his_agreements_only(app, topic, clock):
    until_ms = clock.now_ms() + HOUR_MS
    for agreement in ("call-centre", "network-operator"):
        one = SilenceResponse(id=agreement, agreement=agreement, until_ms=until_ms, at_ms=0, reason=f"of {agreement}")
        topic.live.take([records.response(one)])
    async with somebody(app, MANAGER) as imke:
        page = (await imke.get("/silences")).text
    assert ("of call-centre" in page, "of network-operator" in page) == (True, False)
    async with somebody(app, CUSTOMER) as dana:
        assert (await dana.get("/silences")).status_code == 404


async def test_switched_off_nothing_is_taken_and_nothing_offered(topic, clock, read_row, tmp_path, out):
    app = make_app(Site(topic, clock), read_row, Access.of(settings_of(tmp_path, SETTINGS)))
    async with somebody(app) as robin:
        assert (await robin.post("/acknowledge", data={"key": out.key.text()})).status_code in (404, 405)
        assert "data-responds" not in (await robin.get("/alerts")).text


async def test_each_write_leaves_a_line_that_says_who_what_and_from_where(robin, out, caplog):
    caplog.set_level(logging.INFO)
    await robin.post("/acknowledge", data={"key": out.key.text(), "note": "mine by='Eve'"})
    (line,) = [one for one in caplog.records if hasattr(one, "event")]
    assert line.event == {
        "action": "acknowledge", "outcome": "written", "by": "Robin", "role": "operator", "via": "token",
        "from": "192.0.2.7", "key": out.key.text(), "note": "mine by='Eve'",
    }  # fmt: skip
    assert line.getMessage().startswith("audit: action='acknowledge' outcome='written' by='Robin' role='operator'")


async def test_that_kafka_did_not_take_it_is_said(robin, topic, out, caplog):
    topic.failure_of_kafka = BrokerError("Kafka does not take records")
    answer = await robin.post("/acknowledge", data={"key": out.key.text()})
    assert answer.status_code == 503
    assert "Kafka does not take records" in answer.text
    assert [one.event["outcome"] for one in caplog.records if hasattr(one, "event")] == ["not written"]


async def test_an_answer_does_not_wait_for_ever_for_what_was_written(robin, topic, out, monkeypatch):
    monkeypatch.setattr(respond, "SHOWN_S", 0.01)
    monkeypatch.setattr(topic.live, "response", lambda _key: None)
    async with asyncio.timeout(5):
        assert (await robin.post("/acknowledge", data={"key": out.key.text()})).status_code == 303


@pytest.mark.parametrize(
    "page", ["https://evil.example//evil.example/x", "javascript:alert(1)", "//evil.example", "\\\\e"]
)
async def test_the_way_back_never_leads_to_another_site(robin, out, page):
    answer = await robin.post("/acknowledge", data={"key": out.key.text()}, headers={"Referer": page})
    assert re.fullmatch(r"/[^/\\]*(/[^/\\]*)*", answer.headers["location"])


def test_without_a_sign_in_responding_cannot_be_switched_on(tmp_path):
    with pytest.raises(ConfigError, match="nobody is signed in"):
        settings_of(tmp_path, "pages: {respond: true}")
