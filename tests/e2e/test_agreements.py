"""Agreements come, are amended, spoilt and terminated while a worker runs: it follows, and is never restarted."""

from __future__ import annotations

import pytest

from monitor.read_model.topics import Outgoing
from tests.e2e.installation import Installation, Worker, eventually

DESK = """\
agreement: desk
version: {version}
valid_from: {valid_from}
name: Service desk
form: service
provider: IT
customer: Everybody
service: Mail
status: {status}
accepted_by: Dana
accepted_on: 2023-12-01
clocks:
  - {{id: resolution, metric: resolution, targets: {{"*": {budget}}}, at_risk: [], windows: [day]}}
objectives:
  - {{id: in-time, of: resolution, indicator: compliance, target: 90 %, windows: [day]}}
"""


def desk(version: int = 1, valid_from: str = "2024-01-01", budget: str = "2h", status: str = "accepted") -> str:
    return DESK.format(version=version, valid_from=valid_from, budget=budget, status=status)


async def knows(worker: Worker, *versions: int) -> None:
    async def known() -> bool:
        return [one.version for one in worker.monitor.books.book.agreements] == list(versions)

    await eventually(known)


async def breaches(installation: Installation) -> list[tuple[str, int, str]]:
    return [(one["what"], one["version"], one["at"][8:16]) for one in await installation.told()]


async def test_a_running_worker_follows_new_versions_and_keeps_its_word_on_what_began_before(
    installation: Installation,
):
    async with installation.worker() as worker:
        # given a ticket for which nothing is promised, as nothing is published yet
        await installation.tell("ticket", "T-0", ("opened", "2026-01-05 09:00", {}))
        await worker.caught_up()

        # when an agreement is published, it holds for what began since it is valid
        published = await installation.publish(desk())
        assert published.exit_code == 0, published.output
        assert "new: Service desk, accepted, valid from 2024-01-01" in published.stdout
        await knows(worker, 1)
        # and an amendment halves the budget from ten o'clock on
        amended = await installation.publish(desk(2, "2026-01-05T10:00:00Z", "1h"), "amendment.yaml")
        assert "clocks[resolution].targets.*: 2h → 1h" in amended.stdout
        await knows(worker, 1, 2)
        await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:59", {}))
        await installation.turn("2026-01-05 10:00", worker)
        await installation.tell("ticket", "T-2", ("opened", "2026-01-05 10:00", {}))
        await installation.turn("2026-01-05 12:30", worker)

        # then each ticket is judged by the version that held when it began
        assert sorted(await breaches(installation)) == [
            ("T-0", 1, "05T11:00"), ("T-1", 1, "05T11:59"), ("T-2", 2, "05T11:00"),
        ]  # fmt: skip
        listed = await installation.json("agreements", "list")
        assert [(one["version"], one["status"]) for one in listed] == [(1, "accepted"), (2, "accepted")]


@pytest.mark.parametrize(
    "bad",
    [
        b"{", b"[]", b"\xff", b'{"agreement": "desk"}',
        b'{"agreement": "desk", "version": 1, "clocks": [{"targets": {"*": "0h"}}]}',
    ],
    ids=["no JSON", "no object", "no UTF-8", "lacking parts", "a budget of nothing"],
)  # fmt: skip
async def test_a_bad_version_on_the_topic_never_replaces_a_good_one(installation: Installation, bad: bytes):
    await installation.publish(desk())
    async with installation.worker() as worker:
        # when somebody writes to the topic what is no agreement, under the key of the good one
        await installation.send(Outgoing("agreements", b"desk/1", bad, partition=0))

        async def refused() -> bool:
            return worker.monitor.books.refused == 1

        await eventually(refused)
        await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {}))
        await installation.turn("2026-01-05 11:30", worker)
        # then what was promised is still promised
        assert await breaches(installation) == [("T-1", 1, "05T11:00")]


async def test_a_folder_with_one_mistake_publishes_nothing_and_all_mistakes_are_told_with_their_lines(
    installation: Installation,
):
    (installation.folder / "good.yaml").write_text(desk())
    spoilt = (
        desk(2, "2025-01-01").replace("metric: resolution", "metric: resolutoin").replace("form: service", "form: x")
    )
    (installation.folder / "spoilt.yaml").write_text(spoilt.replace("version: 2", "version: two\ncolour: red"))

    for command in (("check",), ("agreements", "apply", "--yes")):
        result = await installation.run(*command, installation.folder)
        assert result.exit_code == 1
        for told in (
            "spoilt.yaml:2: version: ",
            "spoilt.yaml:3: colour: unknown key",
            "spoilt.yaml:6: form: ",
            "spoilt.yaml:14: clocks[0].metric: ",
            "(did you mean 'resolution'?)",
        ):
            assert told in result.output
    assert await installation.read("agreements") == []


async def test_a_draft_promises_nothing_and_a_terminated_agreement_nothing_new(installation: Installation):
    # given a draft
    await installation.publish(desk(status="draft"))
    async with installation.worker() as worker:
        await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {}))
        await installation.turn("2026-01-05 12:00", worker)
        assert await breaches(installation) == []
        # when its next version is accepted, and a third ends it at three o'clock
        await installation.publish(desk(2, "2026-01-05T12:00:00Z"), "accepted.yaml")
        end = desk(3, "2026-01-05T14:00:00Z").replace(
            "status: accepted", "status: terminated\nterminates: 2026-01-05T15:00:00Z"
        )
        assert (await installation.publish(end, "terminated.yaml")).exit_code == 0
        await knows(worker, 1, 2, 3)
        await installation.tell("ticket", "T-2", ("opened", "2026-01-05 12:30", {}))
        await installation.turn("2026-01-05 14:30", worker)
        await installation.tell("ticket", "T-3", ("opened", "2026-01-05 14:59", {}))
        await installation.tell("ticket", "T-4", ("opened", "2026-01-05 15:00", {}))
        await installation.turn("2026-01-05 18:00", worker)

        # then what was opened while an accepted version held is judged, and nothing else
        clocks = [one for one in await installation.told() if one["kind"] == "ticket"]
        assert [(one["what"], one["version"], one["at"][8:16]) for one in clocks] == [
            ("T-2", 2, "05T14:30"), ("T-3", 3, "05T16:59"),
        ]  # fmt: skip
        # and its objectives are shown no more
        assert (await worker.metrics()).all("sla_objective_verdict") == []
