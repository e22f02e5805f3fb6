"""A site over what the real core says of the first 10 minutes of the demonstration's world."""

from __future__ import annotations

import asyncio
import shutil

import httpx
import pytest

from monitor.config.agreements.checking import book_of, read_documents
from monitor.core.facts.events import SUBJECTS
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.core.time.periods import period
from monitor.core.time.units import MINUTE_MS
from monitor.demo.hours import busy_start_ms
from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.site import Site
from monitor.read_model.due import DueNext
from monitor.read_model.live import Live
from monitor.reports.model import make_report
from monitor.reports.sources import Sources
from monitor.stream.partitions.clock import HandClock
from tests.demo.world import AGREEMENTS, Watch
from tests.pages import records

FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
"""What browsers say of a form that stands on a page of ours."""
START_MS = busy_start_ms(1_790_000_000_000)


class Still:
    """A source that does not change by itself."""

    failure = ""
    is_complete = True
    read_share = 1.0

    def __init__(self, live):
        self.live = live

    async def news(self):
        await asyncio.Event().wait()


@pytest.fixture(scope="session")
def watched():
    return Watch(1, START_MS).until(START_MS + 10 * MINUTE_MS)


def closed_months(watched):
    """Three closed months of each objective by customer, as they would stand with today's figures."""
    shown = [one for one in watched.evaluator.latest.values() if one.window == "month" and one.verdicts]
    zone = "Europe/Berlin"
    for one in shown:
        from_ms = period(zone, "month", START_MS)[0]
        for _ in range(3):
            from_ms, to_ms = period(zone, "month", from_ms - 1)
            yield one._replace(from_ms=from_ms, to_ms=to_ms, closed=True, live={}, audience=("customer",))


@pytest.fixture(scope="session")
def said(watched):
    """The records that the workers would have written."""
    return [
        *[records.published(one.document) for one in read_documents([AGREEMENTS])],
        *[records.status(one) for one in watched.evaluator.latest.values() if not one.closed],
        *[records.alert(one) for _, one in watched.noticed],
        *[records.statement(one) for one in watched.statements],
        *[records.statement(one) for one in closed_months(watched)],
    ]


@pytest.fixture(scope="session")
def world(said):
    """The model of these records; nobody may change it."""
    live = Live(records.TOPICS)
    live.take(said)
    return live


@pytest.fixture
def source(world):
    return Still(world)


@pytest.fixture
def clock(watched):
    return HandClock(watched.now_ms)


@pytest.fixture(scope="session")
def report_of(watched, world):
    """Makes reports of all that the records say, as if it had been read from the topics."""

    async def made(choose):
        sources = Sources(
            book=book_of(world.documents()),
            statements=world.statements(),
            running=[one for one in watched.evaluator.latest.values() if not one.closed],
            alerts=list(world.alerts())[::-1],
            as_of_ms=watched.now_ms,
            origin="the topics",
        )
        return make_report(sources, choose(sources))

    return made


@pytest.fixture
def site(source, clock, report_of):
    return Site(source, clock, report_of=report_of)


@pytest.fixture(scope="session")
def read_row(watched):
    async def read(subject, subject_id):
        return watched.rows[subject].get(subject_key(subject_id))

    return read


@pytest.fixture(scope="session")
def rows(watched):
    """The rows of the world: (subject, key, row)."""
    return [
        (subject, key, row)
        for subject in SUBJECTS
        for key, row in watched.rows[subject].rows.items()
        if isinstance(row, SubjectRow)
    ]


@pytest.fixture(scope="session")
def clocks(rows):
    found = DueNext()
    for one in rows:
        found.take(*one)
    return found.clocks()


@pytest.fixture
async def browser(site, read_row):
    transport = httpx.ASGITransport(make_app(site, read_row, Access({}, ["pages"])))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages", headers=FROM_HERE) as client:
        yield client


@pytest.fixture(scope="module")
def chromium():
    """The browser of this machine."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
