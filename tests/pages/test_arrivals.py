"""Which events arrive: counted by where the topics end, and the newest one read."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from monitor.config.settings.settings import Settings, TopicSettings
from monitor.core.facts.events import SUBJECTS, Event, Fact
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.pages.site import Site
from monitor.read_model import arrivals
from monitor.read_model.arrivals import APART_MS, Arrivals, Arrived, Lookout
from monitor.read_model.topics import Outgoing, send_all
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.partitions.clock import HandClock
from monitor.wire.events import encode_event

NOW = 1_790_000_000_000


def ends(number):
    return dict.fromkeys(SUBJECTS, number)


def test_events_are_counted_over_the_last_hour_and_before_that_since_it_was_first_looked():
    found = Arrivals()
    assert found.known() == []
    found.look(NOW, ends(100), {"ticket": NOW - 5})
    found.look(NOW + 10 * MINUTE_MS, ends(130), {})
    assert found.known()[0] == Arrived("ticket", NOW - 5, 30, NOW)

    for minute in range(11, 200):
        found.look(NOW + minute * MINUTE_MS, ends(100 + 3 * minute), {"ticket": NOW - 9})
    told = found.known()[0]
    assert told == Arrived("ticket", NOW - 5, 180, NOW + 139 * MINUTE_MS)


def test_however_often_it_is_looked_little_is_kept():
    found = Arrivals()
    for second in range(3 * 3600):
        found.look(NOW + second * 1000, ends(second), {})
    assert len(found._ends) < 1.1 * HOUR_MS / APART_MS
    assert found.known()[0].records == pytest.approx(3600, abs=APART_MS / 1000)


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.02)


def opened(at_ms):
    return encode_event(Event("ticket", f"T-{at_ms}", Fact(at_ms, 0, f"e{at_ms}", "opened", {})))


async def test_a_lookout_reads_the_newest_event_of_each_kind_from_the_ends_of_the_topics(monkeypatch):
    monkeypatch.setattr(arrivals, "LOOK_S", 0.05)
    topics = TopicSettings(partitions=2)
    with EmbeddedBroker({topics.tickets: 2, topics.calls: 2, topics.outages: 2, topics.leads: 2}) as broker:
        settings, clock = Settings(bootstrap=broker.bootstrap, topics=topics), HandClock(NOW)
        lookout = Lookout(settings, clock.now_ms)
        running = asyncio.create_task(lookout.run())

        try:
            await until(lookout.arrivals.known)
            assert lookout.arrivals.known()[0] == Arrived("ticket", None, 0, NOW)
            sent = [Outgoing(topics.tickets, *opened(NOW - before_ms)) for before_ms in (9, 1, 5)]
            await send_all(settings, [*sent, Outgoing(topics.calls, b"x", b"no event")])
            await until(lambda: lookout.arrivals.known()[1].records == 1 and lookout.arrivals.known()[0].records == 3)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    told = {one.subject: (one.newest_ms, one.records) for one in lookout.arrivals.known()}
    assert told == {"ticket": (NOW - 1, 3), "call": (None, 1), "outage": (None, 0), "lead": (None, 0)}


async def test_without_the_topics_nothing_is_shown_and_it_is_said_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(arrivals, "RETRY_S", 0.01)
    with EmbeddedBroker({"tickets": 1}) as broker:
        lookout = Lookout(Settings(bootstrap=broker.bootstrap), HandClock(NOW).now_ms)
        running = asyncio.create_task(lookout.run())
        await until(lambda: "nobody sees which events arrive" in caplog.text)
        running.cancel()
    assert lookout.arrivals.known() == []


async def test_the_board_shows_them(site: Site, browser, clock):
    assert "newest happened" not in (await browser.get("/")).text
    site.arrivals.look(clock.now_ms() - HOUR_MS, ends(5), {"ticket": clock.now_ms() - MINUTE_MS})
    site.arrivals.look(clock.now_ms(), ends(65), {})
    page = (await browser.get("/")).text
    assert '<td class="number">60</td><td>1 min ago' in page
    told = (await browser.get("/api/v1/arrivals")).json()["items"]
    assert [one["subject"] for one in told] == list(SUBJECTS)
    assert (told[0]["records"], told[0]["newest_ms"]) == (60, clock.now_ms() - MINUTE_MS)
    assert (told[1]["newest"], told[1]["since_ms"]) == (None, clock.now_ms() - HOUR_MS)
