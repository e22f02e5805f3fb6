"""What goes out, as those who read it see it: schemas, /metrics, the pages, and several workers."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import jsonschema
import pytest

from tests.e2e.installation import Installation, desk_agreement
from tests.e2e.test_a_day import HOTLINE, NETWORK
from tests.stream.conftest import followers_first  # noqa: F401 - a fixture

NASTY = 'C/"ü"\\{}🙂\'; DROP'
"""A customer's name as people choose them."""
DESK = desk_agreement("""\
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, at_risk: 50%, by: [customer], windows: [30m, day]}
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: 90 %, at_risk: 95 %, windows: [30m, day]}
""")
IDS = ("SUBJECT-1", "SUBJECT-2", "CALL-1", "OUTAGE-1")


async def happen(installation: Installation) -> None:
    """Publish agreements of all kinds, and let something of every kind happen."""
    for name, text in {"desk.yaml": DESK, "hotline.yaml": HOTLINE, "network.yaml": NETWORK}.items():
        (installation.folder / name).write_text(text)
    assert (await installation.run("agreements", "apply", installation.folder, "--yes")).exit_code == 0
    await installation.tell("ticket", IDS[0], ("opened", "2026-01-05 08:30", {"customer": NASTY, "priority": "P1"}))
    await installation.tell(
        "ticket", IDS[1], ("opened", "2026-01-05 08:00", {"customer": "acme"}), ("resolved", "2026-01-05 08:50", {})
    )
    await installation.tell("call", IDS[2], ("queued", "2026-01-05 08:58", {"queue": "support"}))
    await installation.tell("outage", IDS[3], ("started", "2026-01-05 07:00", {"service": "ring"}))


async def test_everything_that_goes_out_keeps_its_published_schema(installation: Installation):
    await happen(installation)
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 10:00", worker)
        await installation.tell("ticket", IDS[0], ("resolved", "2026-01-05 09:15", {}))
        await installation.turn("2026-01-06 00:16", worker)

    seen: set[str] = set()
    for what in ("alerts", "status", "statements"):
        (schema,) = await installation.json("schema", what)
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        records = await installation.json("tail", what, "--no-follow")
        assert records, what
        for record in records:
            validator.validate(record)
            assert record["specversion"] == "1.0"
            assert record["datacontenttype"] == "application/json"
            seen.add(record["type"])
        # each id stands for one thing said
        assert len({record["id"] for record in records}) == len(records)
        # and people get a line of each
        lines = (await installation.run("tail", what, "--no-follow")).stdout.splitlines()
        assert len(lines) == len(records)
    assert seen >= {f"sla.alert.{one}" for one in ("at_risk", "breached", "resolved")}
    assert seen >= {"sla.status", "sla.statement"}


async def test_a_worker_s_metrics_please_promtool_and_name_no_subject(installation: Installation):
    await happen(installation)
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 10:00", worker)
        await worker.metrics()
        metrics = await worker.metrics()

    # all kinds of figures are there, and none under the id of a ticket, call or outage
    for name in ("sla_clock_compliance_ratio", "sla_call_service_level_ratio", "sla_outage_availability_ratio"):
        assert metrics.all(name), name
    for subject_id in IDS:
        assert subject_id not in metrics.text
    assert metrics.all("sla_clocks_open", customer=NASTY, kind="ticket") == [1]
    # what stopped an hour ago has left the shortest window
    assert metrics.all("sla_clock_elapsed_spread_samples", customer="acme", window="30m", at_most="+Inf") == [0]
    for name in ("sla_events_total", "sla_lag_records", "sla_batch_duration_seconds_count", "sla_rebalances_total",
                 "sla_detection_delay_seconds_count"):  # fmt: skip
        assert any(one.name == name for one in metrics.samples), name
    # and the delay of each deadline is observed once, however often somebody looks
    deadlines = [one for one in await installation.told() if one["state"] in ("at_risk", "breached")]
    watched = [one for one in deadlines if one["kind"] != "objective" and not one["backfill"]]
    assert metrics.value("sla_detection_delay_seconds_count") == len(watched) > 0
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = await asyncio.to_thread(
        subprocess.run, [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


async def test_three_pages_on_this_machine_and_nothing_else(installation: Installation):
    async with installation.worker() as worker:
        assert worker.address.startswith("http://127.0.0.1:")
        assert (await worker.get("/healthz")) == (200, "alive\n")
        assert (await worker.get("/readyz")) == (200, f"{len(worker.monitor.app.runners)} partitions open\n")
        assert (await worker.get("/metrics"))[0] == 200
        for path in ("/", "/table", "/router", "/tables", "/stats", "/debug", "/metrics/x"):
            assert (await worker.get(path))[0] == 404, path


@pytest.mark.usefixtures("followers_first")
async def test_the_figures_of_a_partition_are_shown_by_its_owner_only(installation: Installation):
    # given a worker that owns everything
    await happen(installation)
    names = ("sla_clocks_open", "sla_calls_waiting", "sla_outages_open")
    async with installation.worker() as first:
        await installation.turn("2026-01-05 10:00", first)
        alone = {name: len((await first.metrics()).all(name)) for name in names}
        assert all(alone.values())
        # when a second one joins
        async with installation.worker() as second:
            await installation.turn("2026-01-05 10:05", first, second)
            one, other = await first.metrics(), await second.metrics()
            owned = [set(worker.monitor.app.runners) for worker in (first, second)]
            assert owned[0]
            assert owned[1]
            # then each series is at one of them, and so are the sources
            for name in names:
                assert len(one.all(name)) + len(other.all(name)) == alone[name], name
            for scraped, mine in zip((one, other), owned, strict=True):
                assert {
                    (sample.labels["topic"], int(sample.labels["partition"]))
                    for sample in scraped.samples
                    if sample.name == "sla_partition_open"
                } == {(tp.topic, tp.partition) for tp in mine}
        # and when it is gone the first one shows them all again
        await installation.turn("2026-01-05 10:10", first)
        again = await first.metrics()
        assert {name: len(again.all(name)) for name in names} == alone
    told = await installation.told()
    assert len({one["key"] + one["state"] for one in told}) == len(told)


async def test_a_restart_after_an_idle_night_tells_what_came_due_once_and_marks_it_as_history(
    installation: Installation,
):
    # given a worker that stops while a promise is running
    await happen(installation)
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:10", worker)
    before = await installation.told()
    assert [one["state"] for one in before if one["what"] == IDS[0]] == ["at_risk"]
    # when an answer came in time while nobody worked, and another ticket was left alone
    await installation.tell("ticket", IDS[0], ("resolved", "2026-01-05 09:20", {}))
    await installation.tell("ticket", "SUBJECT-3", ("opened", "2026-01-05 09:05", {"customer": "acme"}))
    installation.clock.advance(8 * 3_600_000)
    async with installation.worker() as worker:
        await worker.caught_up()
    # then there is no false breach, and the true one pages nobody any more
    told = [one for one in (await installation.told()) if one not in before and one["kind"] == "ticket"]
    assert [(one["what"], one["state"], one["at"][11:16], one["backfill"]) for one in told] == [
        (IDS[0], "resolved", "09:20", True),
        ("SUBJECT-3", "at_risk", "09:35", True),
        ("SUBJECT-3", "breached", "10:05", True),
    ]
