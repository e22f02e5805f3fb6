"""What Grafana drew of a dashboard, read by the test ids that it publishes (npm: @grafana/e2e-selectors)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from monitor.metrics.dashboards.dashboard import HEADING_HEIGHT
from tests.grafana.browser import Tab

GRID_PX = 38
"""The height of a row of the grid, with its gap."""
WIDTH_PX = 1900

READ = """
(() => {
  const titles = document.querySelectorAll(
    '[data-testid^="data-testid Panel header "]:not([data-testid*="header item"])');
  return Array.from(titles).map(title => {
    const panel = title.closest('.react-grid-item, [data-panelid]') || title;
    const has = selector => panel.matches(selector) || panel.querySelector(selector) !== null;
    const status = panel.querySelector(
      '[data-testid^="data-testid Panel status"], [aria-label="Panel status"], [aria-label="Panel header error"]');
    const text = panel.innerText || '';
    return {
      title: title.dataset.testid.replace('data-testid Panel header ', ''),
      loading: has('[aria-label="Panel loading bar"], .panel-loading, [data-testid="data-testid Loading indicator"]'),
      error: status ? (status.dataset.testid || status.ariaLabel) : null,
      empty: has('[data-testid="data-testid Panel data error message"]') || /^No data$/m.test(text),
      blank: !has('canvas') && text.trim().split('\\n').length < 2,
    };
  });
})()
"""
"""From 8.5 on the header carries the title; errors: 8.5 to 10.1 by aria-label, from 10.2 on by test id; "no data" from
10.4 on by test id, before by its text."""


class Panel(NamedTuple):
    """One panel as it was drawn."""

    title: str
    loading: bool
    error: str | None
    empty: bool
    blank: bool

    @property
    def trouble(self) -> str:
        """What is wrong with it, in words; "" if nothing is."""
        if self.loading:
            return f"{self.title}: still loading"
        if self.error:
            return f"{self.title}: {self.error}"
        if self.empty:
            return f"{self.title}: No data"
        return f"{self.title}: nothing is drawn" if self.blank else ""


class Grafana(NamedTuple):
    """Where it is, and how it is entered."""

    address: str
    headers: Mapping[str, str]

    @classmethod
    def at(cls, url: str, token: str = "") -> Grafana:
        """Take ``https://user:password@host/path``, or an address and a token."""
        parts = urlsplit(url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if parts.username:
            basic = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
            headers = {"Authorization": f"Basic {basic}"}
        host = parts.netloc.rpartition("@")[2]
        return cls(urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")), headers)

    @property
    def host(self) -> str:
        """Its name or address."""
        return urlsplit(self.address).hostname or ""


async def troubles(tab: Tab, grafana: Grafana, dashboard, *, patience_s: float) -> list[str]:
    """Open a dashboard and return what is wrong with its panels; wait at most so long for all of them to be well."""
    expected = len(dashboard["panels"])
    headings = {one["title"] for one in dashboard["panels"] if one["gridPos"]["h"] == HEADING_HEIGHT}
    height = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in dashboard["panels"]) * GRID_PX + 250
    await tab.open(f"{grafana.address}/d/{dashboard['uid']}?kiosk", WIDTH_PX, height, grafana.headers)
    deadline = time.monotonic() + patience_s
    while True:
        panels = [Panel(**one) for one in await tab.evaluate(READ)]
        # Of a heading only the title is drawn.
        found = [one.trouble for one in panels if one.trouble and not (one.blank and one.title in headings)]
        if len(panels) != expected:
            found.append(f"{dashboard['title']}: {len(panels)} of {expected} panels are there")
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.25)
