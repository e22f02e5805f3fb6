"""Foreign topics that get partitions, and losses that are not accepted (the others: tests/kafka)."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation


async def test_no_loss_is_accepted_under_a_running_worker(installation: Installation):
    async with installation.worker():
        refused = await installation.run("topics", "accept-loss", "tickets", "--yes")
    assert refused.exit_code == 1
    assert "group sla-monitor has members: stop all workers" in refused.stderr


async def test_a_loss_is_accepted_only_of_what_workers_read_and_by_who_says_so(installation: Installation):
    unread = await installation.run("topics", "accept-loss", "statements", "--yes")
    assert unread.exit_code == 2
    assert "no topic that workers read: tickets, calls, outages, leads, partials, alerts" in unread.output
    undecided = await installation.run("topics", "accept-loss", "tickets", answer="n\n")
    assert undecided.exit_code != 0
    assert "All that topic tickets still holds is told again" in undecided.output


@pytest.mark.parametrize(("change", "says"), [(1, "has 3 partitions, not 2"), (None, "is missing")])
async def test_a_worker_says_what_is_wrong_with_a_topic_that_stops_nobody(
    installation: Installation, change: int | None, says: str
):
    async with installation.worker() as worker:
        count = worker.monitor.watch._count

        async def changed(names: list[str]) -> dict[str, int]:
            found = dict(await count(names))
            found["statements"] += change or -found["statements"]
            return {name: partitions for name, partitions in found.items() if partitions}

        worker.monitor.watch._count = changed
        assert await worker.get("/healthz") == (200, "alive\n")
        await worker.monitor.watch.look()
        await worker.monitor.watch.look()

        status, text = await worker.get("/healthz")
        assert status == 200
        assert f"topic statements {says}" in text
        metrics = await worker.metrics()
        assert metrics.value("sla_topic_unexpected_partitions", topic="statements") == (change or -2)
