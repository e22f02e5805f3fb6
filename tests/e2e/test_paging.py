"""From an event to the page that somebody gets, over restarts, with people answering from the command line."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema
import orjson

from monitor.core.paging.delivery import MOST_REFUSALS
from tests.e2e.installation import Installation, Worker, desk_agreement, eventually
from tests.stream.notifying import DELIVERED, DOWN, REFUSED, ScriptedCourier

DESK = desk_agreement("""\
notify:
  receivers: [on-call]
  at_risk: [chat]
  escalation:
    - {after: 15m, receivers: [second-line]}
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, at_risk: 50%, by: [], windows: [day]}
""")


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
        await installation.turn("2026-01-05 10:00:01", worker)
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
    # and whose page it is stands in its key
    assert {notice.key.split("/")[0] for _, notice in courier.delivered} == {installation.settings.app_id}


async def test_what_people_answer_reaches_the_worker_that_runs(installation: Installation):
    answers = {"on-call": REFUSED}
    courier = ScriptedCourier(lambda receiver, _notice: answers.get(receiver, DELIVERED))
    await installation.publish(DESK)
    await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {"customer": "acme"}))
    await installation.tell("ticket", "T-2", ("opened", "2026-01-05 09:30", {"customer": "acme"}))
    async with installation.worker(courier) as worker:
        await installation.turn("2026-01-05 10:00:01", worker)
        await installation.turn("2026-01-05 10:01:01", worker)
        # given a page that was refused, which is told at once
        (failed,) = await installation.json("deliveries", "--failed")
        assert (failed["receiver"], failed["result"], failed["detail"]) == ("on-call", "rejected", "no such field")
        assert failed["next_ms"] > failed["at_ms"]
        # and was refused whenever it was tried again
        for minute in range(2, 8):
            await installation.turn(f"2026-01-05 10:0{minute}", worker)
        (failed,) = await installation.json("deliveries", "--failed")
        assert (failed["attempt"], "next_ms" in failed) == (MOST_REFUSALS, False)
        # when the receiver is mended and the page is sent again, it arrives
        answers.clear()
        assert (await installation.run("deliveries", "resend", failed["notice"])).exit_code == 0
        await eventually(lambda: _settled(worker, lambda: bool(pages(courier, "on-call"))))
        # when somebody acknowledges it, the second line is left alone
        assert (await installation.run("ack", failed["key"], "--by", "ann")).exit_code == 0
        # and when the rest is silenced, T-2's breach at 10:30 is told to nobody
        (silence,) = await installation.json(
            "silence", "add", "--agreement", "desk", "--label", "agreement=desk", "--for", "7d"
        )
        # (the worker's clock is years behind the one that the silence was measured by)
        heard = worker.monitor.on_call.responses
        await eventually(lambda: _settled(worker, lambda: len(heard.since(0)) == 3))
        await installation.turn("2026-01-05 10:31", worker)
        await installation.turn("2026-01-05 10:46", worker)
        assert pages(courier, "on-call") == ["trigger T-1"]
        assert pages(courier, "second-line") == []
        # until the silence is taken back
        assert (await installation.run("silence", "expire", silence["id"])).exit_code == 0
        await eventually(lambda: _settled(worker, lambda: len(heard.since(0)) == 2))
        await installation.turn("2026-01-05 10:50", worker)
        assert pages(courier, "on-call") == ["trigger T-1", "update T-1,T-2"]

        metrics = await worker.metrics()
        assert metrics.value("sla_deliveries_total", receiver="on-call", outcome="rejected") == MOST_REFUSALS
        assert metrics.value("sla_deliveries_total", receiver="on-call", outcome="delivered") == 2
        assert metrics.value("sla_pages_open", receiver="on-call") == 1
        assert metrics.value("sla_deliveries_pending", receiver="second-line") == 0
        assert metrics.value("sla_receiver_disabled", receiver="on-call") == 0
    # and all that was written down keeps the published schema
    (schema,) = await installation.json("schema", "deliveries")
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    records = [orjson.loads(record.value) for record in await installation.read("deliveries")]
    for record in records:
        validator.validate(record)
    assert {record["type"] for record in records} == {"sla.delivery"}
    assert len({record["id"] for record in records}) == len(records)


async def _settled(worker: Worker, holds: Callable[[], bool]) -> bool:
    await worker.caught_up()
    return holds()
