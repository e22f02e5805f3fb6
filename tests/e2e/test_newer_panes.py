"""Panes of a newer release that an older worker meets: it buries them, and after the update they come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.sending import partition_of
from monitor.wire import partials
from monitor.wire.partials import PANE
from monitor.wire.versions import Layout, unchanged
from tests.e2e.installation import PARTITIONS, Installation, at
from tests.e2e.test_bad_records import AGREEMENT
from tests.partials import encode_partial

WITH_OBJECTIVE = AGREEMENT + "objectives:\n  - {id: in-time, of: resolution, indicator: compliance, target: 50 %}\n"
PARTITION = partition_of(b"desk", PARTITIONS)
NEWER = bytes([PANE.version + 1])


@pytest.fixture(name="installation")
async def _installation(tmp_path: Path):
    folder = tmp_path / "agreements"
    folder.mkdir()
    async with Installation.started(at("2026-01-05 09:00"), folder) as installation:
        yield installation


def pane(source: str, **counts: int) -> Outgoing:
    """The pane of a day as a worker of a newer release writes it: in a layout of its own, here with the same fields."""
    found = empty_pane()
    found.counts.update(counts)
    key, value = encode_partial(
        source, PaneKey(SeriesKey("desk", "resolution", ("",)), "day", at("2026-01-05 00:00")), found
    )
    assert value is not None
    return Outgoing("partials", key, NEWER + value[1:], partition=PARTITION)


async def counted(installation: Installation) -> tuple[float, float]:
    """Return how many clocks of the day have met their target, and of how many."""
    shown = [one["data"] for one in await installation.json("tail", "status", "--no-follow")]
    figures = [figure for one in shown for figure in one["figures"] if figure["indicator"] == "compliance"]
    return (figures[-1]["numerator"], figures[-1]["denominator"]) if figures else (0, 0)


async def test_panes_that_an_older_worker_buried_come_back_after_the_update(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    published = await installation.publish(WITH_OBJECTIVE)
    assert published.exit_code == 0, published.output

    # given panes of two sources in a layout that the worker does not know
    await installation.send(pane("tickets/0", met=1), pane("tickets/1", breached=1))
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 10:00", worker)

        # then it goes on, and says who must act
        letters = sorted(await installation.json("dead-letters", "list"), key=lambda one: one["id"])
        assert [(one["id"], one["reason"]) for one in letters] == [
            (f"partials/{PARTITION}/0", "newer_layout"), (f"partials/{PARTITION}/1", "newer_layout"),
        ]  # fmt: skip
        assert "update all workers" in letters[0]["detail"]
        assert "sla-monitor dead-letters replay" in letters[0]["detail"]
        metrics = await worker.metrics()
        assert metrics.value("sla_dead_letters_total", topic="partials", reason="newer_layout") == 2
        assert await counted(installation) == (0, 0)

    # when all is updated, and one source has written its pane again
    monkeypatch.setattr(partials, "_SENT", Layout(partials._Sent, NEWER[0], dict.fromkeys(range(NEWER[0]), unchanged)))
    await installation.send(pane("tickets/0", met=2))
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 11:00", worker)
        assert await counted(installation) == (2, 2)
        replayed = await installation.run("dead-letters", "replay", "--reason", "newer_layout", "--yes")
        await installation.turn("2026-01-05 12:00", worker)

        # then the other one comes back, and no old pane replaces a newer one
        assert replayed.exit_code == 0
        assert f"partials/{PARTITION}/0 is left out: its key was written again since" in replayed.stderr
        assert "1 record(s) sent again" in replayed.stdout
        assert await counted(installation) == (2, 3)
        assert len(await installation.json("dead-letters", "list")) == 2
