"""The page Now, as a browser without scripts gets it."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from starlette.requests import Request

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.time.units import HOUR_MS
from monitor.pages.access import Access
from monitor.pages.agreement_page import BURNS
from monitor.pages.app import make_app
from monitor.pages.changes import Streams
from monitor.pages.site import Site
from monitor.pages.viewers import EVERYBODY
from monitor.read_model.live import Live
from monitor.stream.partitions.clock import HandClock
from tests.pages import records
from tests.pages.conftest import START_MS, Still
from tests.pages.many import BUSY, busy_status
from tests.pages.test_board import MONDAY_10
from tests.pages.topic import Topic

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\x1b[31m"


def text_of(page):
    return re.sub(r"\s+([,.:;)])|\s+", lambda found: found[1] or " ", re.sub(r"<[^>]*>", " ", page))


async def test_the_board_says_what_is_broken_what_breaks_next_and_how_long_is_left(browser):
    page = (await browser.get("/")).text
    assert re.search(
        r"Breaks next \d+ (h|min|s)[^<]* (ticket|lead|outage) \S+ [a-z-]+ ?, due \d\d:\d\d CEST", text_of(page)
    )
    assert re.search(r"Objectives broken [1-9]\d* of 30", text_of(page))
    assert "≤ 5 %" in page
    assert "Error budget left" in page


async def test_every_answer_forbids_scripts_of_others_and_frames(browser):
    for address in ("/", "/static/board.js", "/nowhere"):
        headers = (await browser.get(address)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_names_no_other_host_and_holds_no_script_or_style(browser):
    page = (await browser.get("/")).text
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//", page) == []
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", page) == []


@pytest.fixture
def hostile():
    live = Live(records.TOPICS)
    key = AlertKey("ticket", HOSTILE, "desk", HOSTILE, 1)
    labels = {"agreement": "desk", "promise": "fix", "subject": "ticket", "customer": HOSTILE, "team": HOSTILE}
    live.take([records.alert(Alert("1", key, "at_risk", START_MS, "elapsed_75", 1, labels, due_ms=START_MS + HOUR_MS))])
    return live


async def test_names_of_others_are_shown_and_never_run(hostile, read_row):
    transport = httpx.ASGITransport(
        make_app(Site(Still(hostile), HandClock(START_MS)), read_row, Access({}, ["pages"]))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
        page = (await client.get("/")).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page


async def test_a_filter_stands_in_the_address_and_on_the_page(browser):
    page = (await browser.get("/", params={"customer": "hr"})).text
    assert '<option value="hr" selected>' in page
    assert "only customer hr" in text_of(page)
    assert "all customers together" in page  # of services that are not split by customer
    assert "finance ·" not in page


async def test_the_wallboard_has_no_filters_and_the_same_figures(browser):
    wall = (await browser.get("/", params={"wall": "1"})).text
    assert "<form" not in wall
    assert 'class="wall"' in wall
    assert "Breaks next" in wall


async def test_a_page_says_that_the_monitor_is_late_or_that_kafka_is_silent(browser, source, clock):
    assert "The monitor is late" not in (await browser.get("/")).text
    clock.advance(HOUR_MS)
    source.failure = "Kafka at <broker> does not answer"
    page = (await browser.get("/")).text
    assert "The monitor is late" in page
    assert "Kafka cannot be read" in page
    assert "&lt;broker&gt;" in page


async def test_before_anything_is_read_a_page_says_so(clock, read_row):
    empty = Still(Live(records.TOPICS))
    empty.is_complete, empty.read_share = False, 0.25
    transport = httpx.ASGITransport(make_app(Site(empty, clock), read_row, Access({}, ["pages"])))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
        page = (await client.get("/")).text
    assert "25 % so far" in page


async def test_nonsense_in_an_address_is_refused_not_run(browser):
    assert (await browser.get("/", params={"rows": "-1"})).status_code == 422
    assert (await browser.get("/", params={"customer": "x" * 1000})).status_code == 422
    assert (await browser.get("/static/../app.py")).status_code == 404
    assert (await browser.post("/")).status_code == 405


async def test_streams_are_counted_from_the_request_on_and_end_when_the_server_stops(site):
    streams = Streams(site, 2)
    asked = [streams.alerts(_request()) for _ in range(3)]
    assert [one.status_code for one in asked] == [200, 200, 503]

    sent = []

    async def send(message):
        sent.append(message)

    async with asyncio.timeout(5):
        streams.close()
        await asked[0]({"type": "http", "asgi": {"spec_version": "2.4"}}, asyncio.Event().wait, send)
    assert sent[-1]["more_body"] is False
    assert streams.alerts(_request()).status_code == 200


async def test_streams_beyond_the_limit_are_told_to_come_back(site, read_row):
    app = make_app(site, read_row, Access({}, ["pages"]), max_streams=0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as client:
        answer = await client.get("/changes")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def _request():
    return Request({"type": "http", "headers": [], "method": "GET", "path": "/", "state": {"viewer": EVERYBODY}})


async def test_of_too_many_customers_one_is_written_not_chosen_and_few_budgets_are_drawn(read_row):
    topic = Topic([records.published(BUSY), *[records.status(busy_status(number)) for number in range(300)]])
    app = make_app(Site(topic, HandClock(MONDAY_10)), read_row, Access({}, ["pages"]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as client:
        page = (await client.get("/", params={"customer": "c42"})).text
        assert '<input type="search" name="customer" value="c42"' in page
        assert "c299" not in page
        page = (await client.get("/agreements/desk")).text
    assert page.count("<svg") == BURNS
    assert f"the {BURNS} with the least left of 300" in text_of(page)
