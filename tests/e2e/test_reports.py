"""A day ends: its report is announced once, whatever becomes of the workers, and becomes a file for each customer."""

from __future__ import annotations

import csv
from pathlib import Path

from monitor.reports.follower import Written, write_announced
from monitor.wire.finished_reports import decode_report
from tests.e2e.installation import Installation, desk_agreement
from tests.e2e.test_agreements import knows

DESK = desk_agreement("""\
reports: {to: customer, every: day, within: 2h}
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, by: [customer], windows: [day]}
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: 90 %, windows: [day]}
""")


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


async def written(installation: Installation, folder: Path) -> list[Written]:
    told: list[str] = []
    found = [one async for one in write_announced(installation.settings, folder, ["csv"], told.append, follow=False)]
    assert told == []
    return found


async def test_a_day_is_reported_once_to_each_customer_over_a_change_of_workers(
    installation: Installation, tmp_path: Path
):
    folder = tmp_path / "reports"
    # given two customers on one day, one of whom waited too long for the second line
    async with installation.worker() as worker:
        await installation.publish(DESK)
        await knows(worker, 1)
        quick = ("opened", "2026-01-05 09:00", {"customer": "acme"}), ("resolved", "2026-01-05 09:30", {})
        await installation.tell("ticket", "T-1", *quick)
        slow = {"customer": "hr", "team": "second line"}
        await installation.tell("ticket", "T-2", ("opened", "2026-01-05 09:00", slow))
        await installation.turn("2026-01-05 11:00", worker)
        await installation.tell("ticket", "T-2", ("resolved", "2026-01-05 11:00", {}))
        await installation.turn("2026-01-06 00:10", worker)
        assert await installation.read("reports") == [], "late events are still waited for"
        await installation.turn("2026-01-06 00:15", worker)

    # when another worker goes on
    async with installation.worker() as worker:
        await installation.turn("2026-01-06 12:00", worker)

    # then the report was announced once, with the time until when it is promised
    [record] = await installation.read("reports")
    announced = decode_report(record.value)
    assert (record.key, announced.reason) == (b"desk/2026-01-05/customer", "closed")
    assert announced.due_ms == announced.to_ms + 2 * 3_600_000

    # and each customer has its own file, with the reason of what was missed
    reports = await written(installation, folder)
    assert {one.files[0].name: [row["verdict"] for row in read(one.files[0])] for one in reports} == {
        "2026-01-05-customer-acme.csv": ["met"],
        "2026-01-05-customer-hr.csv": ["breached"],
    }
    [missed] = next(one.report for one in reports if one.report.customer == "hr").breaches.rows
    assert (missed.subject, missed.over_ms) == ("T-2", 3_600_000)

    # and nothing is written twice
    assert await written(installation, folder) == []
