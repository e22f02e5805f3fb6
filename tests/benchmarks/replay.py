"""Rows a second and memory of a replay: reading and measuring apart, with one measure and with ten, on one core.

Without ``--data FOLDER`` (or ``SLA_TEST_DATA``) the data is made, of the shape of the public data that the tests know
(`tests/replay/public_data.py`); an event counts as a row then. Every case runs in a process of its own, so that its
peak of memory is its own. Rates of one run are compared with each other; there is no limit to pass.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from monitor.config.agreements.checking import book_of, load_agreements, parse_document
from monitor.config.mappings.mapping import load_mapping
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.facts.events import Event, Fact
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.replay.local import run_replay
from monitor.replay.readers import Reading, read_events
from tests.benchmarks import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.core.agreements.book import Book
    from monitor.core.facts.events import Subject, Value

MAPPINGS: Final = Path(__file__).parents[1] / "mappings"
VARIABLE: Final = "SLA_TEST_DATA"
PUBLIC: Final = {
    "tickets": ("tickets_uci_servicenow/incident_event_log.csv.gz", "uci_incidents.yaml", "uci-incident-desk.yaml"),
    "calls": (
        "calls_simulated_queue/simulated_call_centre.csv.gz",
        "simulated_call_centre.yaml",
        "simulated-call-centre.yaml",
    ),
    "outages": ("outages_gcp_status/incidents.csv.gz", "gcp_outages.yaml", "gcp-outages.yaml"),
    "leads": ("leads_maven_crm/sales_pipeline.csv.gz", "maven_pipeline.yaml", "maven-sales.yaml"),
}
"""By case: data, mapping and agreement of the public data."""
SUBJECTS: Final = {"tickets": 10_000, "calls": 10_000, "outages": 1_500, "leads": 4_000}
BEGAN_MS: Final = 1_700_000_000_000
HEAD: Final = """
agreement: made
version: 1
valid_from: 2023-01-01
name: Made
form: service
provider: us
customer: them
service: all
status: accepted
accepted_by: me
accepted_on: 2023-01-01
zone: UTC
"""
MEASURES: Final = {
    "tickets": "clocks:\n{lines}",
    "calls": "calls:\n{lines}",
    "outages": "outages:\n{lines}",
    "leads": "leads:\n{lines}",
}
LINE: Final = {
    "tickets": '  - {{id: m{n}, metric: resolution, targets: {{"*": {hours}h}}, by: team, windows: [month]}}\n',
    "calls": "  - {{id: m{n}, answer_within: {n}0s, repeat_within: 24h, by: queue, windows: [month]}}\n",
    "outages": "  - {{id: m{n}, by: service, windows: [month]}}\n",
    "leads": "  - {{id: m{n}, follow_up: {{within: {n}h}}, by: source, windows: [month]}}\n",
}
INDICATOR: Final = {
    "tickets": ("compliance", ">= 90 %"),
    "calls": ("service_level", ">= 80 %"),
    "outages": ("availability", ">= 99 %"),
    "leads": ("follow_up", ">= 80 %"),
}


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "--data", type=Path, default=os.environ.get(VARIABLE), help=f"folder of the public data [{VARIABLE}]"
    )
    parser.add_argument("--case", choices=sorted(SUBJECTS), help="only this kind of subject")
    parser.add_argument("--run", nargs=2, metavar=("CASE", "MEASURES"), help=argparse.SUPPRESS)


def main(json_file: Path | None, asked: argparse.Namespace) -> None:
    """Run all cases, each in a process of its own, and print their rates."""
    if asked.run:
        print(json.dumps(_run(asked.run[0], int(asked.run[1]), asked.data)))
        return
    found = []
    print(
        f"{'case':10}{'measures':>9}{'rows':>10}{'read rows/s':>13}{'measured rows/s':>17}{'peak MB':>9}"
        f"{'bytes/row':>11}"
    )
    for case in [asked.case] if asked.case else sorted(SUBJECTS):
        for measures in (0, 1, 10) if asked.data else (1, 10):
            one = _apart(case, measures, asked.data)
            found.append(one)
            read = f"{one['read_per_s']:,.0f}" if one["read_per_s"] else "–"
            name = measures or "own"
            print(
                f"{case:10}{name:>9}{one['rows']:>10,}{read:>13}{one['rows_per_s']:>17,.0f}{one['peak_mb']:>9,.0f}"
                f"{one['bytes_per_row']:>11,.0f}"
            )
        one, ten = found[-2:]
        print(f"{'':10}ten measures cost {one['rows_per_s'] / ten['rows_per_s']:.1f} times one")
    write_json({"replay": found}, json_file)


def _apart(case: str, measures: int, data: Path | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks", "replay", "--run", case, str(measures)]
    if data:
        command += ["--data", str(data)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _run(case: str, measures: int, data: Path | None) -> dict[str, Any]:
    """Replay one case; return its rates and memory."""
    file, mapping, agreement = PUBLIC[case]
    idle_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading, read_s = None, 0.0
    if data:
        began = time.process_time()
        reading = read_events([data / file], load_mapping(MAPPINGS / mapping))
        read_s = time.process_time() - began
        events, rows = reading.events, reading.rows
    else:
        events = list(MADE[case](random.Random(1), SUBJECTS[case]))
        rows = len(events)
    book = (
        made_book(case, measures, of_all=bool(data))
        if measures
        else load_agreements([MAPPINGS / "agreements" / agreement])
    )
    began = time.process_time()
    run_replay(events, book, reading=reading or Reading(), keep_alerts=False)
    took_s = time.process_time() - began
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "case": case,
        "measures": measures,
        "rows": rows,
        "events": len(events),
        "read_per_s": rows / read_s if read_s else None,
        "rows_per_s": rows / took_s,
        "peak_mb": peak_kb / 1024,
        "bytes_per_row": (peak_kb - idle_kb) * 1024 / rows,
    }


def made_book(case: str, measures: int, *, of_all: bool) -> Book:
    """Return an agreement with a number of measures of a kind, each with an objective by month."""
    lines = "".join(LINE[case].format(n=n, hours=4 * n) for n in range(1, measures + 1))
    indicator, target = INDICATOR[case]
    objectives = "".join(
        f'  - {{id: o{n}, of: m{n}, indicator: {indicator}, target: "{target}", windows: month}}\n'
        for n in range(1, measures + 1)
    )
    head = HEAD.replace("2023-01-01", "2010-01-01") if of_all else HEAD
    text = f"{head}{MEASURES[case].format(lines=lines)}objectives:\n{objectives}"
    return book_of(parse_document(one.data) for one in parse_documents(text.encode(), "made.yaml", []))


def _events(subject: Subject, subject_id: str, told: dict[str, Value], *facts: tuple[int, str]) -> Iterator[Event]:
    for at_ms, kind in facts:
        yield Event(subject, subject_id, Fact(at_ms, 0, f"{subject_id}-{kind}", kind, told))


def _tickets(chance: random.Random, number: int) -> Iterator[Event]:
    """Updates of tickets over eight months, of twenty teams: most are solved within days, some never."""
    for n in range(number):
        at_ms = BEGAN_MS + int(chance.random() * 240 * DAY_MS)
        told: dict[str, Value] = {"team": f"team {n % 20}", "priority": f"P{1 + n % 4}"}
        seen_ms = at_ms + int(chance.expovariate(1 / (2 * HOUR_MS)))
        solved_ms = seen_ms + int(chance.expovariate(1 / (2 * DAY_MS)))
        yield from _events(
            "ticket", f"T{n}", told, (at_ms, "opened"), (seen_ms, "acknowledged"), (seen_ms + 1, "updated"),
            *([(solved_ms, "resolved"), (solved_ms + DAY_MS, "closed")] if n % 50 else []),
        )  # fmt: skip


def _calls(chance: random.Random, number: int) -> Iterator[Event]:
    """Calls of a year in four queues, of callers who come back."""
    for n in range(number):
        at_ms = BEGAN_MS + int(chance.random() * 365 * DAY_MS)
        told: dict[str, Value] = {"queue": f"queue {n % 4}", "caller": f"caller {chance.randrange(number // 4)}"}
        answered_ms = at_ms + int(chance.expovariate(1 / 15_000))
        yield from _events(
            "call", f"C{n}", told, (at_ms, "queued"), (answered_ms, "answered"), (answered_ms + 3 * MINUTE_MS, "ended")
        )


def _outages(chance: random.Random, number: int) -> Iterator[Event]:
    """Outages of four years of eighty services."""
    for n in range(number):
        at_ms = BEGAN_MS + int(chance.random() * 4 * 365 * DAY_MS)
        over_ms = at_ms + int(chance.expovariate(1 / (6 * HOUR_MS)))
        told: dict[str, Value] = {"service": f"service {n % 80}"}
        yield from _events("outage", f"O{n}", told, (at_ms, "started"), (over_ms, "restored"))


def _leads(chance: random.Random, number: int) -> Iterator[Event]:
    """Leads of a year from ten sources."""
    for n in range(number):
        at_ms = BEGAN_MS + int(chance.random() * 365 * DAY_MS)
        told: dict[str, Value] = {"source": f"source {n % 10}"}
        tried_ms = at_ms + int(chance.expovariate(1 / (5 * HOUR_MS)))
        yield from _events(
            "lead", f"L{n}", told, (at_ms, "created"), (at_ms, "handed_over"), (tried_ms, "attempted"),
            (tried_ms + DAY_MS, "contacted"), (tried_ms + 30 * DAY_MS, "won" if n % 3 else "lost"),
        )  # fmt: skip


MADE: Final[dict[str, Callable[[random.Random, int], Iterator[Event]]]] = {
    "tickets": _tickets,
    "calls": _calls,
    "outages": _outages,
    "leads": _leads,
}
