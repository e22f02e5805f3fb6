"""The other pages: agreements in words, lists that are searched, a subject as a picture."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from monitor.core.alerts.stretches import Stretch
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.errors import BrokerError
from monitor.pages.access import Access
from monitor.pages.agreement_page import hours_of, versions_of
from monitor.pages.app import make_app
from monitor.pages.lists import PAGE, part_of
from monitor.pages.subject_page import WIDTH, ledger_of, told_of
from monitor.pages.subjects import explained
from monitor.pages.viewers import EVERYBODY, View
from tests.pages.test_board import agreement
from tests.pages.test_now import text_of


@pytest.fixture
def view(world, clock):
    return View(world, EVERYBODY, clock.now_ms())


def a_broken_ticket(watched):
    return next(one.key for _, one in reversed(watched.noticed) if (one.key.kind, one.state) == ("ticket", "breached"))


async def test_every_link_of_the_pages_leads_somewhere(browser):
    seen, ahead = set(), ["/"]
    while ahead and len(seen) < 80:
        address = ahead.pop(0)
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        seen.add(address)
        links = {unescape(one).partition("#")[0] for one in re.findall(r'(?:href|src)="(/[^"]*)"', answer.text)}
        ahead += sorted(links - seen - set(ahead))
    assert {"/agreements", "/alerts", "/statements", "/agreements/network-operator", "/?wall=1"} <= seen
    assert any(one.startswith("/subjects/ticket/") for one in seen)


async def test_an_agreement_is_told_in_words(browser):
    page = text_of((await browser.get("/agreements/network-operator")).text)
    assert "Contract network-operator, version 1, accepted: Northern Networks promises All connected" in page
    assert "core-availability objective of core availability ≥ 99.95 %" in page
    assert "10 % below 99.95 %" in page
    assert "P1 2 h, others 4 h" in page
    assert "Error budgets" in page


async def test_an_agreement_says_from_which_level_a_target_comes(browser):
    page = text_of((await browser.get("/agreements/finance-payroll")).text)
    assert "It inherits from all-departments." in page
    assert "said by finance-payroll v1; *: all-departments v1" in page


async def test_the_trend_shows_the_closed_periods_the_newest_last(browser):
    page = (await browser.get("/agreements/call-centre")).text
    trend = re.search(r'id="few-give-up">.*?<ol class="trend">(.*?)</ol>', page, re.DOTALL)[1]
    assert re.findall(r'title="(\d{4}-\d\d-\d\d)', trend) == ["2026-06-01", "2026-07-01", "2026-08-01"]


def test_a_new_version_says_which_promises_changed():
    stricter = [{"id": "fix", "metric": "resolution", "calendar": "office", "targets": {"*": "2h"}}]
    newest, first = versions_of([agreement(), agreement(version=2, valid_from="2026-01-01", clocks=stricter)])
    assert (first.added, first.removed) == ((), ())
    assert [(one.id, one.what) for one in newest.removed] == [("fix", "within 4 h (office)")]
    assert [(one.id, one.what) for one in newest.added] == [("fix", "within 2 h (office)")]


def test_hours_are_told_as_they_are_written():
    office = {"hours": {"mon-thu": ["08:00-12:00", "13:00-18:00"], "fri": "08:00-12:00"},
              "holidays": {"country": "DE", "subdivision": "BE", "dates": ["2026-05-15"]},
              "exceptions": {"2026-12-31": "closed"}}  # fmt: skip
    assert hours_of({"office": office, "always": "24x7"}) == {
        "office": "mon-thu 08:00-12:00 and 13:00-18:00, fri 08:00-12:00; closed on holidays of DE BE and 1 more; "
        "2026-12-31 closed",
        "always": "24x7",
    }
    assert hours_of(None) == {}


async def test_alerts_are_searched_by_every_word(browser, watched):
    key = a_broken_ticket(watched)
    page = (await browser.get("/alerts", params={"q": f"{key.what} {key.promise}", "state": "breached"})).text
    assert f"/subjects/ticket/{key.what}" in page
    assert set(re.findall(r"/subjects/ticket/([^\"]+)", page)) == {key.what}
    assert "No alert is like that" in (await browser.get("/alerts", params={"q": "no such thing"})).text


async def test_sentences_and_instants_are_of_the_agreement_s_zone_everywhere(browser, watched):
    """All agreements of the demonstration are of Berlin, whose summer time is two hours ahead of UTC."""
    what = a_broken_ticket(watched).what
    for place in ("/", "/alerts", f"/subjects/ticket/{what}"):
        page = text_of((await browser.get(place)).text)
        assert re.search(r"due (\S+ )*\d\d:\d\d(:\d\d)? CEST", page), place
        assert not re.search(r"\d\d:\d\d(:\d\d)? UTC", page), place


async def test_lists_come_in_pages_that_hold_each_item_once(browser, world):
    found, number = [], 1
    while True:
        page = (await browser.get("/alerts", params={"page": number})).text
        found += re.findall(r'<tr id="a-([0-9a-f]+)"', page)
        if 'rel="next"' not in page:
            break
        number += 1
    assert found == [one.id for one in world.alerts()]
    assert len(part_of(range(PAGE), 1).items) == PAGE
    assert not part_of(range(PAGE), 1).has_more


async def test_statements_are_filtered_by_window_and_verdict(browser):
    page = (await browser.get("/statements", params={"agreement": "call-centre", "verdict": "breached"})).text
    assert "few-give-up" in page
    assert "no statement" not in page.lower()
    assert "No statement" in (await browser.get("/statements", params={"window": "year"})).text


async def test_a_subject_is_a_picture_that_says_the_same_as_its_ledger(browser, watched, view, read_row):
    key = a_broken_ticket(watched)
    page = (await browser.get(f"/subjects/ticket/{key.what}")).text
    assert '<svg class="life"' in page
    assert "Announced" in page
    clocks = explained(view, await read_row("ticket", key.what))
    told = next(one for one in told_of(clocks, view.now_ms) if one.one.clock == key.promise)
    assert told.ledger[-1].total_ms == told.one.elapsed_ms
    assert sum(bar.width for bar in told.picture.bars) == pytest.approx(WIDTH, rel=0.01)
    assert told.picture.late is not None


def test_a_ledger_counts_open_time_only():
    lines = ledger_of([
        Stretch(0, HOUR_MS, "counted"),
        Stretch(HOUR_MS, 3 * HOUR_MS, "paused", "customer"),
        Stretch(3 * HOUR_MS, 3 * HOUR_MS + MINUTE_MS, "counted"),
    ])  # fmt: skip
    assert [(one.words, one.total_ms) for one in lines] == [
        ("open", HOUR_MS), ("paused: customer", HOUR_MS), ("open", HOUR_MS + MINUTE_MS),
    ]  # fmt: skip


async def test_what_is_not_there_is_said_not_raised(browser):
    for address in ("/agreements/none", "/subjects/ticket/none", "/subjects/dog/1"):
        answer = await browser.get(address)
        assert answer.status_code == 404
        assert "Nothing here" in answer.text


@pytest.fixture
def read_row_of_silent_kafka():
    async def read(_subject, _subject_id):
        raise BrokerError("Kafka does not answer")

    return read


async def test_a_subject_whose_state_cannot_be_read_says_why(site, read_row_of_silent_kafka):
    transport = httpx.ASGITransport(make_app(site, read_row_of_silent_kafka, Access({}, ["pages"])))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
        answer = await client.get("/subjects/ticket/T-1")
    assert answer.status_code == 503
    assert "Kafka does not answer" in answer.text
