"""The dashboards as a real Grafana draws them, and that the reader of its pages would see what is wrong."""

from __future__ import annotations

import base64
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from monitor.metrics.dashboards import dashboards
from monitor.metrics.dashboards.dashboard import HEADING_HEIGHT
from tests.grafana.browser import BINARY, browser
from tests.grafana.drawn import Grafana, troubles

URL = os.environ.get("SLA_TEST_GRAFANA_URL", "")
PATIENCE_S = 90.0
PNG = b"\x89PNG\r\n"

chromium = pytest.mark.skipif(BINARY is None, reason="chromium (Debian package chromium) is not installed")


@pytest.mark.grafana
@chromium
@pytest.mark.skipif(
    not URL, reason="SLA_TEST_GRAFANA_URL names no Grafana that is provisioned with grafana/ and sees the demonstration"
)
@pytest.mark.parametrize("name", dashboards())
async def test_grafana_draws_every_panel_with_data(name: str, tmp_path: Path):
    grafana = Grafana.at(URL, os.environ.get("SLA_TEST_GRAFANA_TOKEN", ""))
    async with browser(tmp_path, grafana.host) as tab:
        found = await troubles(tab, grafana, dashboards()[name], patience_s=PATIENCE_S)
        save(Path(os.environ.get("SLA_TEST_PICTURES", tmp_path)) / f"{Path(name).stem}.png", await tab.picture())
    assert not found, "\n".join(found)


def save(path: Path, picture: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)


# -- the reader itself, on a page that imitates Grafana's

OLD = (
    '<div class="react-grid-item"><header data-testid="data-testid Panel header {title}">{title}</header>{inside}</div>'
)
NEW = (
    '<div class="react-grid-item"><section data-testid="data-testid Panel header {title}">'
    "<h2>{title}</h2>{inside}</section></div>"
)
PAGE = """<!doctype html><div id="grid"></div><script>
setTimeout(() => {{ document.getElementById('grid').innerHTML = {loading!r} }}, 50);
setTimeout(() => {{ document.getElementById('grid').innerHTML = {drawn!r} }}, 300);
</script>"""


def board(*titles: str):
    places = {title: {"y": 0, "h": HEADING_HEIGHT if title == "Heading" else 4} for title in titles}
    return {"uid": "sla-x", "title": "X",
            "panels": [{"title": title, "gridPos": place} for title, place in places.items()]}  # fmt: skip


@asynccontextmanager
async def imitation(shape: str, **panels: str):
    """Serve a dashboard whose panels first load and then show what is given; tells who asked, too."""
    asked = []

    async def page(request: web.Request) -> web.Response:
        asked.append((request.path_qs, request.headers.get("Authorization")))
        loading = "".join(
            shape.format(title=one, inside='<div aria-label="Panel loading bar"></div>') for one in panels
        )
        drawn = "".join(shape.format(title=one, inside=inside) for one, inside in panels.items())
        return web.Response(text=PAGE.format(loading=loading, drawn=drawn), content_type="text/html")

    app = web.Application()
    app.router.add_get("/d/{uid}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"{host}:{port}", asked
    finally:
        await runner.cleanup()


@chromium
@pytest.mark.parametrize("shape", [OLD, NEW], ids=["before 10", "from 10 on"])
async def test_panels_that_are_drawn_are_well_and_there_is_a_picture(shape: str, tmp_path: Path):
    panels = {"Heading": "", "Open": "<div>17</div>", "Over time": "<canvas></canvas>"}
    async with imitation(shape, **panels) as (host, asked), browser(tmp_path, "127.0.0.1") as tab:
        grafana = Grafana.at(f"http://admin:secret@{host}/")
        assert await troubles(tab, grafana, board(*panels), patience_s=10) == []
        picture = await tab.picture()
    assert picture.startswith(PNG)
    assert asked == [("/d/sla-x?kiosk", "Basic " + base64.b64encode(b"admin:secret").decode())]


@chromium
async def test_what_is_wrong_with_a_panel_is_told(tmp_path: Path):
    panels = {
        "Fine": "<div>17</div>",
        "Failed": '<button data-testid="data-testid Panel status error"></button><canvas></canvas>',
        "Failed of old": '<button aria-label="Panel status"></button><canvas></canvas>',
        "Empty": '<div data-testid="data-testid Panel data error message">No data</div>',
        "Empty of old": "<div>No data</div>",
        "Hanging": '<div aria-label="Panel loading bar"></div>',
        "Blank": "",
    }
    async with imitation(NEW, **panels) as (host, asked), browser(tmp_path, "127.0.0.1") as tab:
        grafana = Grafana.at(f"http://{host}", token="t0ken")
        found = await troubles(tab, grafana, board(*panels, "Missing"), patience_s=2)
    assert found == [
        "Failed: data-testid Panel status error",
        "Failed of old: Panel status",
        "Empty: No data",
        "Empty of old: No data",
        "Hanging: still loading",
        "Blank: nothing is drawn",
        "X: 7 of 8 panels are there",
    ]
    assert asked[0][1] == "Bearer t0ken"
