"""From an event to the page that somebody gets, over restarts, with people answering from the command line."""

from __future__ import annotations

from tests.e2e.installation import Installation
from tests.stream.notifying import DELIVERED, DOWN, ScriptedCourier

DESK = """\
agreement: desk
version: 1
valid_from: 2024-01-01
name: Service desk
form: service
provider: IT
customer: Everybody
service: Mail
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
notify:
  receivers: [on-call]
  at_risk: [chat]
  escalation:
    - {after: 15m, receivers: [second-line]}
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, at_risk: 50%, by: [], windows: [day]}
"""


def pages(courier: ScriptedCourier, receiver: str) -> list[str]:
    return [
        f"{notice.action} {','.join(alert.key.what for alert in notice.alerts)}"
        for who, notice in courier.delivered
        if who == receiver
    ]


async def test_an_event_a_breach_a_page_a_restart_and_its_end(installation: Installation):
    courier = ScriptedCourier()
    await installation.publish(DESK)
    await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {}))
    async with installation.worker(courier) as worker:
        # 09:30 at risk · 10:00 breached
        await installation.turn("2026-01-05 09:31", worker)
        await installation.turn("2026-01-05 10:00", worker)
        assert pages(courier, "chat") == ["trigger T-1"]
        assert pages(courier, "on-call") == []
        courier.answer = lambda receiver, _notice: DOWN if receiver == "on-call" else DELIVERED
        await installation.turn("2026-01-05 10:02", worker)
        assert [notice.action for who, notice in courier.received if who == "on-call"] == ["trigger"]
    # when the worker is gone while the receiver is down, and another one takes its place
    courier.answer = lambda _receiver, _notice: DELIVERED
    async with installation.worker(courier) as worker:
        await installation.turn("2026-01-05 10:05", worker)
        # then the page is told, under the id of the first attempt
        assert pages(courier, "on-call") == ["trigger T-1"]
        first, second = [notice for who, notice in courier.received if who == "on-call"]
        assert first == second
        assert pages(courier, "chat") == ["trigger T-1", "update T-1"]
        # and nobody answers, so the second line is told; and all of them of the end
        await installation.turn("2026-01-05 10:15:30", worker)
        assert pages(courier, "second-line") == ["trigger T-1"]
        await installation.tell("ticket", "T-1", ("resolved", "2026-01-05 10:20", {}))
        await installation.turn("2026-01-05 10:21", worker)
        for receiver in ("chat", "on-call", "second-line"):
            assert pages(courier, receiver)[-1] == "resolve T-1", receiver
    assert len({(notice.id) for _, notice in courier.delivered}) == len(courier.delivered)
