"""A person before the demonstration's board, in a real Chromium."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.processes import process, stop

MISSED = "section[aria-labelledby=missed-and-still-open] tbody tr"


@pytest.mark.alone  # it looks at a process of several threads by the machine's clock
def test_breaches_appear_on_the_open_board_by_themselves(chromium, tmp_path):
    with process("demo", "--json", folder=tmp_path) as demo:
        address = json.loads(demo.stdout.readline())["addresses"]["board"]
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        noise, asked, loads = [], [], []
        page.on("console", lambda one: noise.append(one.text))
        page.on("pageerror", lambda one: noise.append(str(one)))
        page.on("request", lambda one: asked.append(one.url))
        page.on("load", lambda _: loads.append(page.url))
        page.goto(address)

        there = page.locator(MISSED).evaluate_all("rows => rows.map(row => row.id)")
        page.wait_for_function(
            "([rows, there]) => [...document.querySelectorAll(rows)].some(row => !there.includes(row.id))",
            arg=[MISSED, there],
            timeout=60_000,
        )

        assert len(loads) == 1
        assert noise == []
        assert [one for one in asked if not one.startswith(address)] == []
        subject = page.locator(f"{MISSED} a[href^='/subjects/']").first.get_attribute("href")
        for place in ("/", "/?wall=1", "/agreements/network-operator", "/alerts", "/statements", "/due", subject):
            page.goto(f"{address}{place}")
            for width, scheme in ((360, "dark"), (1280, "light"), (1920, "dark")):
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate("document.documentElement.scrollWidth") == width, (place, width)
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        assert noise == []

        code, _, err = stop(demo, signal.SIGINT)  # with a page that is still open
        assert (code, err) == (0, "")
        page.close()
