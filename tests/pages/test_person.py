"""A person who is signed in, in a real Chromium: with the keyboard alone, with and without scripts, on any screen."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import contextmanager

import pytest

from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.server import PagesServer
from monitor.pages.site import Site
from monitor.stream.partitions.clock import FastClock
from tests.pages import records
from tests.pages.test_access import OPERATOR, SETTINGS, settings_of
from tests.pages.topic import Topic

PLACES = ("/", "/?wall=1", "/agreements", "/agreements/network-operator", "/alerts", "/statements", "/silences", "/due")
ACKNOWLEDGE = "button[aria-label^='acknowledge ']"


class Served:
    """Pages on a port of this machine, in a loop of their own, as Playwright holds up the one that it is called in."""

    def __init__(self, said, now_ms, read_row, read_due, settings):
        self._asked = said, now_ms, read_row, read_due, settings
        self._ready, self._stopping = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    @contextmanager
    def running(self):
        self._thread.start()
        try:
            assert self._ready.wait(30)
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(30)

    def take(self, *lot):
        """Have records arrive."""
        self._loop.call_soon_threadsafe(self.topic.take, lot)

    async def _run(self):
        said, now_ms, read_row, read_due, settings = self._asked
        self._loop = asyncio.get_running_loop()
        self.topic = Topic(said)
        site = Site(self.topic, FastClock(1.0, now_ms), write=self.topic.write)
        app = make_app(site, read_row, Access.of(settings), read_due=read_due)
        async with PagesServer(app, "127.0.0.1", 0) as server:
            self.address = server.address
            self._ready.set()
            await self._stopping.wait()


@pytest.fixture
def served(said, watched, read_row, clocks, tmp_path):
    async def read_due():
        return clocks

    settings = settings_of(tmp_path, SETTINGS + "  respond: true\n")
    with Served(said, watched.now_ms, read_row, read_due, settings).running() as one:
        yield one


class Windows:
    """Opens windows, and keeps every noise and every request of them."""

    def __init__(self, chromium, address):
        self._chromium, self._address = chromium, address
        self.noise, self.asked, self.contexts = [], [], []

    def __call__(self, **options):
        """Return a page on which an operator has signed in, by keyboard."""
        window = self._chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.contexts.append(window)
        page = window.new_page()
        page.on("console", lambda one: self.noise.append(one.text))
        page.on("pageerror", lambda one: self.noise.append(str(one)))
        page.on("request", lambda one: self.asked.append(one.url))
        page.goto(f"{self._address}/sign-in")
        page.locator("input[name=token]:focus").wait_for()
        page.keyboard.type(OPERATOR)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{self._address}/")
        return page


@pytest.fixture
def opened(chromium, served):
    windows = Windows(chromium, served.address)
    yield windows
    for one in windows.contexts:
        one.close()
    assert windows.noise == []
    assert [one for one in windows.asked if not one.startswith(served.address)] == []


def tabbed_to(page, wanted, most=400):
    """Press Tab until something is focused, and return what all was on the way."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return passed
    raise AssertionError(f"{wanted} is not reached by Tab")


def test_axe_finds_nothing_on_any_page_light_or_dark_wide_or_narrow_and_nothing_is_beyond_the_edge(opened, served):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened()
    subject = page.locator("a[href^='/subjects/ticket/']").first.get_attribute("href")
    found = {}
    for place in (*PLACES, subject, "/silences?agreement=call-centre&promise=asa"):
        page.goto(served.address + place)
        for width, scheme in ((360, "dark"), (1280, "light"), (1920, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") == width, (place, width)
            # Wide pages have nothing that the others have not.
            violations = axe.run(page).response["violations"] if width < 1920 else ()
            found |= {(place, width, one["id"]): [node["html"] for node in one["nodes"]] for one in violations}
    assert found == {}


def test_by_keyboard_alone_one_filters_reads_and_acknowledges_and_sees_where_one_is(opened, served):
    page = opened()
    passed = tabbed_to(page, "select[name=agreement]")
    assert "Skip to the content" in passed[0]
    page.keyboard.type("call")
    page.wait_for_url(re.compile(r"agreement=call-centre"))

    tabbed_to(page, "nav a[href='/alerts']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.address}/alerts")
    tabbed_to(page, ACKNOWLEDGE)
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    offered = page.locator(ACKNOWLEDGE).count()
    page.keyboard.press("Enter")

    page.wait_for_selector("text=Acknowledged by Robin")
    page.wait_for_selector("#told:text('nobody else is told of it')")
    assert page.locator(ACKNOWLEDGE).count() == offered - 1
    assert [one.by for one in served.topic.written] == ["Robin"]
    page.wait_for_function("document.getElementById('connection').textContent === 'live'")


def test_a_silence_is_begun_and_ended_without_loading_the_page_anew(opened, served):
    page = opened()
    page.goto(f"{served.address}/alerts")
    page.locator("a[aria-label^='silence ']").first.click()
    page.wait_for_url(re.compile(r"/silences\?agreement="))
    loads = []
    page.on("load", lambda _: loads.append(page.url))
    page.fill("input[name=reason]", "fire drill")
    page.click("button:text-is('Silence')")
    page.wait_for_selector("td:text('fire drill')")
    page.click("button:text('End now')")
    page.wait_for_selector("text=Nothing is silenced")
    assert loads == []


def test_what_went_wrong_is_said_where_one_is(opened, served):
    page = opened()
    page.goto(f"{served.address}/silences?agreement=call-centre")
    page.fill("textarea[name=label]", "sales")
    page.click("button:text-is('Silence')")
    page.wait_for_selector("#told:text('is NAME=VALUE')")
    assert served.topic.written == []
    # The browser and htmx note in the console that the server refused.
    assert all("422" in one for one in opened.noise)
    opened.noise.clear()


def test_without_scripts_the_forms_work_too(opened, served):
    page = opened(java_script_enabled=False)
    page.goto(f"{served.address}/alerts?state=breached")
    page.locator(ACKNOWLEDGE).first.click()
    page.wait_for_selector("text=Acknowledged by Robin")
    assert page.url == f"{served.address}/alerts?state=breached"
    page.goto(f"{served.address}/silences")
    page.select_option("select[name=agreement]", "call-centre")
    page.click("button:text-is('Silence')")
    page.click("button:text('End now')")
    page.wait_for_selector("text=Nothing is silenced")


@pytest.mark.alone  # it looks at the machine's clock
def test_a_page_is_there_within_a_second_and_shows_an_alert_within_two(opened, served, watched):
    page = opened()
    took_ms = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    new = next(alert for _, alert in reversed(watched.noticed) if alert.state == "breached")
    new = new._replace(id="f" * 32, key=new.key._replace(what="T-999999", kind="ticket"), at_ms=watched.now_ms)
    page.evaluate(
        """id => { window.seen = new Promise(done => new MutationObserver((_, all) => {
            if (document.getElementById(id)) { all.disconnect(); done(performance.now()); }
        }).observe(document.body, {childList: true, subtree: true, attributes: true})); }""",
        f"c-{new.id}",
    )
    before_ms = page.evaluate("performance.now()")
    served.take(records.alert(new))
    shown_ms = page.evaluate("window.seen") - before_ms
    assert (took_ms < 1_000, shown_ms < 2_000) == (True, True), (took_ms, shown_ms)
