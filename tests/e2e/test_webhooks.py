"""From an event to what each kind of receiver is told over HTTP: one key from the trigger to the end."""

from __future__ import annotations

import jsonschema
import orjson
import pytest

from monitor.notify.courier import WebhookCourier
from tests.e2e.installation import Installation, desk_agreement
from tests.notify.desk import Desk
from tests.notify.given import KINDS, receiver
from tests.notify.schemas import pagerduty

PATHS = {"opsgenie": "", "alertmanager_api": ""}
DESK = desk_agreement(f"""\
notify:
  receivers: {KINDS}
  at_risk: {KINDS}
clocks:
  - {{id: resolution, metric: resolution, targets: {{"*": 1h}}, at_risk: 50%, by: [], windows: [day]}}
""")
TICKET = 'T-1 "ü" <x>/…'


@pytest.fixture
async def desk():
    async with Desk.started() as one:
        one.otherwise = (202, b"ok", {})
        yield one


async def test_an_event_a_warning_a_breach_and_the_end_reach_every_kind_of_receiver(
    installation: Installation, desk: Desk
):
    receivers = {kind: receiver(kind, url=f"{desk.url}{PATHS.get(kind, f'/{kind}')}") for kind in KINDS}
    courier = WebhookCourier(receivers, "sla-monitor", installation.clock.now_ms)
    await installation.publish(DESK)
    await installation.tell("ticket", TICKET, ("opened", "2026-01-05 09:00", {"customer": "Ex & Co"}))
    # 09:30 at risk · 10:00 breached · 10:20 resolved
    async with installation.worker(courier) as worker:
        for when in ("09:30", "09:31", "10:00", "10:02"):
            await installation.turn(f"2026-01-05 {when}", worker)
        await installation.tell("ticket", TICKET, ("resolved", "2026-01-05 10:20", {}))
        for when in ("10:20", "10:22"):
            await installation.turn(f"2026-01-05 {when}", worker)

    told = {}
    for path, _, body in desk.told:
        told.setdefault(path.split("/")[1], []).append(orjson.loads(body))
    assert [one["type"] for one in told["generic"]] == [f"sla.notice.{one}" for one in ("trigger", "update", "resolve")]
    (schema,) = await installation.json("schema", "notices")
    for event in told["generic"]:
        jsonschema.validate(event, schema)
    assert len({one["subject"] for one in told["generic"]}) == 1
    assert [one["event_action"] for one in told["pagerduty"]] == ["trigger", "trigger", "resolve"]
    assert len({one["dedup_key"] for one in told["pagerduty"]}) == 1
    assert [one["payload"]["severity"] for one in told["pagerduty"][:2]] == ["warning", "critical"]
    for event in told["pagerduty"]:
        jsonschema.validate(event, pagerduty.SCHEMA)
    assert [one["status"] for one in told["alertmanager"]] == ["firing", "firing", "resolved"]
    assert len({one["alerts"][0]["fingerprint"] for one in told["alertmanager"]}) == 1
    posted = [orjson.loads(body) for path, _, body in desk.told if path == "/api/v2/alerts"]
    assert [one[0]["labels"] for one in posted] == [posted[0][0]["labels"]] * 3
    assert posted[0][0]["labels"]["what"] == TICKET
    asked = [path.rpartition("/")[2] for path, _, _ in desk.told if path.startswith("/v2/alerts")]
    assert asked == ["alerts", "priority", "notes", "close"]
    assert len(told["slack"]) == 3
    assert {one["result"] for one in await installation.json("deliveries")} == {"delivered"}
