"""All that is due next: also clocks that are not at risk yet, from the rows that the workers have committed."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.settings.settings import Settings, TopicSettings
from monitor.core.facts.events import SUBJECTS
from monitor.core.subjects.rows import SubjectRow
from monitor.errors import BrokerError
from monitor.pages import due_page
from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.due_page import rows_of
from monitor.pages.filters import Filters
from monitor.pages.viewers import EVERYBODY, View, Viewer
from monitor.read_model.due import DueNext, due_next
from monitor.read_model.topics import Outgoing, send_all
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.wire.rows import SOURCE_ROWS
from tests.pages.conftest import FROM_HERE


class Reads:
    """Reads the clocks, and counts how often; ``failure`` is raised instead."""

    def __init__(self, clocks):
        self.clocks, self.times, self.failure, self.takes_s = clocks, 0, None, 0.0

    async def __call__(self):
        self.times += 1
        await asyncio.sleep(self.takes_s)
        if self.failure:
            raise self.failure
        return self.clocks


@pytest.fixture
def reads(clocks):
    return Reads(clocks)


@pytest.fixture
async def asking(site, read_row, reads):
    app = make_app(site, read_row, Access({}, ["pages"]), read_due=reads)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pages", headers=FROM_HERE
    ) as client:
        yield client


def test_clocks_that_are_not_at_risk_are_there_too_and_missed_or_paused_ones_are_not(clocks, watched):
    assert {one.at_risk for one in clocks} == {True, False}
    out = {alert.key: alert.state for _, alert in watched.noticed}
    broken = {(key.what, key.promise, key.cycle) for key, state in out.items() if state == "breached"}
    assert not broken & {(one.subject_id, one.promise, one.cycle) for one in clocks}
    assert [one.due_ms for one in clocks] == sorted(one.due_ms for one in clocks)


async def test_the_page_lists_them_by_the_time_that_is_left(asking, clocks):
    assert 'href="/due"' in (await asking.get("/")).text
    page = (await asking.get("/due")).text
    assert "on track" in page
    assert page.index(clocks[0].subject_id) > 0
    assert page.count("<meter") == min(len(clocks), due_page.SHOWN)
    assert (await asking.get("/due", params={"rows": 3})).text.count("<meter") == 3


async def test_the_api_says_the_same_in_pages(asking, clocks, clock):
    first = (await asking.get("/api/v1/due", params={"size": 3})).json()
    rest = (await asking.get(first["next"])).json()
    everything = (await asking.get("/api/v1/due", params={"size": 500})).json()["items"]

    assert first["items"] + rest["items"] == everything[:6]
    assert [one["left_ms"] for one in everything] == sorted(one["left_ms"] for one in everything)
    wanted = {(one.subject_id, one.promise, one.cycle) for one in clocks if one.due_ms >= clock.now_ms()}
    assert {(one["subject_id"], one["promise"], one["cycle"]) for one in everything} == wanted
    one = everything[0]
    assert (one["due"].endswith("Z"), 0 <= one["used"] <= 1) == (True, True)
    few = (await asking.get("/api/v1/due", params={"agreement": "it-service-desk", "customer": "hr"})).json()["items"]
    assert {(one["agreement"], one["about"].get("customer", "hr")) for one in few} == {("it-service-desk", "hr")}


async def test_where_nobody_reads_it_the_api_says_so(browser):
    answer = await browser.get("/api/v1/due")
    assert (answer.status_code, answer.json()["detail"]) == (404, "what is due next is not read here")


async def test_filters_hold_here_too(asking):
    page = (await asking.get("/due", params={"agreement": "it-service-desk", "customer": "hr"})).text
    assert "hr" in page
    assert "finance ·" not in page
    assert "second-line</a>" not in page


async def test_reading_is_shared_by_all_who_ask_at_once_and_for_a_while(asking, reads, monkeypatch):
    await asyncio.gather(*[asking.get("/due") for _ in range(5)])
    await asking.get("/due")
    assert reads.times == 1
    monkeypatch.setattr(due_page, "FRESH_S", 0.0)
    await asking.get("/due")
    assert reads.times == 2


async def test_that_it_cannot_be_read_is_said(asking, reads, monkeypatch):
    reads.failure = BrokerError("Kafka does not answer")
    for address in ("/due", "/api/v1/due"):
        answer = await asking.get(address)
        assert (answer.status_code, "Kafka does not answer" in answer.text) == (503, True)
    reads.failure, reads.takes_s = None, 60.0
    monkeypatch.setattr(due_page, "READ_S", 0.01)
    answer = await asking.get("/due")
    assert (answer.status_code, "took too long" in answer.text) == (503, True)


def test_whoever_sees_some_agreements_sees_their_clocks_only(world, clock, clocks):
    imke = View(world, Viewer("manager", "Imke", frozenset({"second-line"})), clock.now_ms())
    everybody = View(world, EVERYBODY, clock.now_ms())
    mine = rows_of(imke, clocks, Filters(), 1000)
    assert {one.clock.agreement for one in mine} == {"second-line"}
    assert len(rows_of(everybody, clocks, Filters(), 1000)) > len(mine)


async def test_customers_do_not_see_it(site, read_row, reads):
    app = make_app(site, read_row, Access({}, ["pages"]), read_due=reads)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as asking:
        site.view = lambda _request: View(site.source.live, Viewer("customer", "Dana"), site.now_ms())
        assert (await asking.get("/due")).status_code == 404
        assert (await asking.get("/api/v1/due")).status_code == 403
    assert reads.times == 0


@given(st.data())
def test_whatever_was_let_go_the_first_ones_are_right_if_few_end_meanwhile(rows_of_world, data):
    rows = data.draw(st.permutations(rows_of_world))
    all_of_them, few = DueNext(), DueNext(kept=5)
    for one in rows:
        all_of_them.take(*one)
        few.take(*one)
    first, wanted = ([one.due_ms for one in found.clocks()[:5]] for found in (few, all_of_them))
    assert first == wanted
    assert len(few._clocks) <= 10


@pytest.fixture(scope="session")
def rows_of_world(watched):
    return [
        ("ticket", key, row) for key, row in watched.rows["ticket"].rows.items() if isinstance(row, SubjectRow)
    ][-60:]  # fmt: skip


async def test_the_newest_row_of_each_subject_counts(rows, clocks):
    topics = TopicSettings(partitions=1)
    names = {f"sla-monitor-{name}-state": 1 for name in ("tickets", "calls", "outages", "leads")}
    of = dict(zip(SUBJECTS, names, strict=True))
    left, *others = [one for one in rows if one[0] == "ticket"]
    with EmbeddedBroker(names) as broker:
        settings = Settings(bootstrap=broker.bootstrap, topics=topics)
        lot = [Outgoing(of[subject], key, SOURCE_ROWS.encode(key, row)) for subject, key, row in rows]
        gone = [Outgoing(of["ticket"], key, None) for _, key, _ in others]
        await send_all(settings, [*lot, Outgoing(of["ticket"], b"position", b"x"), *gone])
        found = await due_next(settings)
    kept = left[1][1:].decode()
    assert found == [one for one in clocks if one.subject != "ticket" or one.subject_id == kept]
