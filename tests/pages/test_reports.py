"""Reports of finished periods from the page and the API: made when asked for, for whom they are, a few at once."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import time

import httpx
import pytest

from monitor.core.agreements.agreement import Rights
from monitor.errors import BrokerError
from monitor.pages.access import Access
from monitor.pages.agreement_page import LISTED_REPORTS, listed_reports
from monitor.pages.app import make_app
from monitor.pages.reports import MOST_ASKED, Finished
from monitor.pages.site import Site
from monitor.pages.viewers import Viewer
from monitor.reports.period import Period
from tests.core.stories import agreement

API = "/api/v1/reports"
DESK = "it-service-desk"
DANA = Viewer("customer", "Dana", frozenset({DESK}), frozenset({"finance", "hr"}))


def asking(site, read_row, viewer=None):
    access = Access({}, ["pages"])
    if viewer is not None:
        access.who = lambda _request: viewer
    transport = httpx.ASGITransport(make_app(site, read_row, access))
    return httpx.AsyncClient(transport=transport, base_url="http://pages")


async def test_finished_periods_are_listed_newest_first_with_the_addresses_of_their_files(browser):
    found = (await browser.get(f"{API}?agreement={DESK}")).json()["items"]
    assert [one["period"] for one in found] == ["2026-08", "2026-07", "2026-06"]
    assert found[0]["title"] == "August 2026"
    assert {"html", "csv"} <= set(found[0]["files"])

    answer = await browser.get(found[0]["files"]["csv"])
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {(one["agreement"], one["period"], one["closed"]) for one in rows} == {(DESK, "2026-08", "yes")}
    assert answer.headers["content-disposition"] == f'attachment; filename="{DESK}-2026-08.csv"'
    again = await browser.get(found[0]["files"]["csv"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_of_an_agreement_links_to_the_reports_of_its_finished_periods(browser):
    page = (await browser.get(f"/agreements/{DESK}")).text
    assert "August 2026" in page
    links = re.findall(rf'href="(/reports/{DESK}/[^"]+)"', page)
    assert links[0] == f"/reports/{DESK}/2026-08?format=html"
    report = await browser.get(links[0])
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "August 2026" in report.text


def test_an_agreement_lists_first_what_is_promised_to_be_reported_and_no_kind_of_period_hides_another():
    one = agreement(reports=(Rights(("customer",), "month"),))
    kinds = ["day"] * 9 + ["quarter", "month", "week"]
    finished = [Finished(one, Period(kind, f"{kind}-{n}", n, n + 1, "UTC"), ()) for n, kind in enumerate(kinds)]
    listed = [found.period.window for found in listed_reports(one, finished)]
    assert listed == ["month", "quarter", "week", *["day"] * LISTED_REPORTS]


async def test_a_report_in_the_browser_may_run_and_fetch_nothing_but_has_its_own_style(browser):
    policy = (await browser.get(f"/reports/{DESK}/2026-08")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert policy.endswith("sandbox")


async def test_a_customer_gets_the_reports_of_each_of_his_own_and_of_what_his_audience_grants(site, read_row):
    async with asking(site, read_row, DANA) as dana:
        [newest, *_] = (await dana.get(API)).json()["items"]
        assert newest["customers"] == ["finance", "hr"]
        assert (await dana.get(f"{API}/{DESK}/2026-08?format=csv")).status_code == 422, "which of the two?"
        answer = await dana.get(f"{API}/{DESK}/2026-08?format=csv&customer=hr")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert "hr" in answer.text
        assert {one["customer"] for one in rows} == {"hr"}
        assert all("customer=" not in one["series"] or "customer=hr" in one["series"] for one in rows)
        page = (await dana.get(f"/agreements/{DESK}")).text
        assert f"/reports/{DESK}/2026-08?format=html&amp;customer=finance" in page
        for refused in (f"{DESK}/2026-08?customer=logistics", f"{DESK}/2026-09?customer=hr", "call-centre/2026-08"):
            assert (await dana.get(f"{API}/{refused}")).status_code == 404, refused


@pytest.mark.parametrize(
    ("address", "status", "detail"),
    [
        ("none/2026-08", 404, "no agreement none is published"),
        (f"{DESK}/1999-08", 404, "has no period 1999-08"),
        (f"{DESK}/soon", 404, "is no period"),
        (f"{DESK}/2026-08?format=doc", 422, "not as the API describes it"),
        (f"{DESK}/2026-08?customer=nobody", 404, "no figures of customer"),
    ],
)
async def test_a_report_that_is_not_there_is_said(browser, address, status, detail):
    answer = await browser.get(f"{API}/{address}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.text


async def test_topics_that_cannot_be_read_are_said(source, clock, read_row):
    async def silent(_choose):
        raise BrokerError("Kafka does not answer")

    async with asking(Site(source, clock, report_of=silent), read_row) as person:
        answer = await person.get(f"/reports/{DESK}/2026-08")
    assert answer.status_code == 503
    assert "Kafka does not answer" in answer.text


async def test_where_no_reports_are_made_no_page_offers_one(source, clock, read_row):
    async with asking(Site(source, clock), read_row) as person:
        assert "/reports/" not in (await person.get(f"/agreements/{DESK}")).text
        assert (await person.get(f"{API}/{DESK}/2026-08")).status_code == 404


async def test_reports_are_made_one_after_the_other_and_of_many_askers_the_last_are_told_to_come_back(
    source, clock, read_row, report_of
):
    made, most, gate = 0, 0, asyncio.Event()

    async def counted(choose):
        nonlocal made, most
        made += 1
        most = max(most, made)
        await gate.wait()
        made -= 1
        return await report_of(choose)

    async with asking(Site(source, clock, report_of=counted), read_row) as people:
        asked = [asyncio.create_task(people.get(f"{API}/{DESK}/2026-08?format=csv")) for _ in range(MOST_ASKED + 2)]
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        gate.set()
        answers = [await one for one in asked]

    assert sorted(one.status_code for one in answers) == [200] * MOST_ASKED + [503, 503]
    assert {one.result().headers["retry-after"] for one in refused} == {"30"}
    assert most == 1


async def test_while_a_report_is_written_the_pages_answer(site, read_row, monkeypatch):
    monkeypatch.setattr("monitor.pages.reports.write", lambda *_: time.sleep(0.5) or b"written")
    async with asking(site, read_row) as people:
        report = asyncio.create_task(people.get(f"{API}/{DESK}/2026-08?format=csv"))
        await asyncio.sleep(0)
        answers = 0
        async with asyncio.timeout(10):
            while not report.done():
                assert (await people.get("/healthz")).status_code == 200
                answers += 1
                await asyncio.sleep(0.01)  # so that the loop reads what the thread has finished
        assert (await report).content == b"written"
    assert answers > 5


async def test_a_report_that_takes_too_long_is_given_up(source, clock, read_row, monkeypatch):
    monkeypatch.setattr("monitor.pages.reports.MAKE_S", 0.01)

    async def slow(_choose):
        await asyncio.Event().wait()

    async with asking(Site(source, clock, report_of=slow), read_row) as person:
        answer = await person.get(f"{API}/{DESK}/2026-08")
        assert answer.status_code == 503
        assert "took too long" in answer.json()["detail"]
