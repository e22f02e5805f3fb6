"""Rows a second and memory of a replay: reading, measuring and both, with one measure and with ten, on one core.

Without ``--data FOLDER`` (or ``SLA_TEST_DATA``) the data is made, of the shape of the public data that the tests know
(`tests/replay/public_data.py`); an event counts as a row then. Files are read whole. So that a run ends within minutes,
only the events of each file's first subjects are measured (``--events``). Reading and each measuring run in a process
of their own, so that the peak of memory is that of the measuring, with its events. Rates of one run are compared with
each other; there is no limit to pass.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
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
    from collections.abc import Callable, Iterator, Sequence

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
    "map": ("outages_bchydro/changes_2023.csv.gz", "bchydro_outages.yaml", "bchydro-outages.yaml"),
    "days": ("calls_kaggle_daily/call_center_data.csv.gz", "daily_calls.yaml", "daily-calls.yaml"),
    "leads": ("leads_maven_crm/sales_pipeline.csv.gz", "maven_pipeline.yaml", "maven-sales.yaml"),
}
"""By case: data, mapping and agreement of the public data. A row of ``days`` makes some six hundred events."""
KINDS: Final = {
    "tickets": "tickets",
    "calls": "calls",
    "days": "calls",
    "outages": "outages",
    "map": "outages",
    "leads": "leads",
}
EVENTS: Final = 20_000
SECONDS: Final = 6
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
    parser.add_argument("--case", choices=sorted(PUBLIC), help="only this data set")
    parser.add_argument(
        "--events",
        type=int,
        default=EVENTS,
        help=f"measure the first subjects with about this many events, 0: all of them [{EVENTS:,}]",
    )
    parser.add_argument(
        "--seconds", type=int, default=SECONDS, help=f"stop a measuring that takes more time of a core [{SECONDS}]"
    )
    parser.add_argument("--run", nargs=3, metavar=("CASE", "MEASURES", "FILE"), help=argparse.SUPPRESS)


def main(json_file: Path | None, asked: argparse.Namespace) -> None:
    """Run all cases, each in processes of its own, and print their rates."""
    if asked.run:
        case, measures, kept = asked.run
        done = (
            _read(case, asked, Path(kept))
            if measures == "read"
            else _measure(case, int(measures), Path(kept), asked.seconds)
        )
        print(json.dumps(done))
        return
    found: list[dict[str, Any]] = []
    print(
        f"{'case':9}{'measures':>9}{'rows':>9}{'events':>9}{'read rows/s':>13}{'measured rows/s':>17}"
        f"{'whole rows/s':>14}{'peak MB':>9}{'bytes/row':>11}"
    )
    with TemporaryDirectory() as folder:
        for case in [asked.case] if asked.case else sorted(PUBLIC if asked.data else MADE):
            found += _case(case, asked, Path(folder) / case)
    write_json({f"{one['case']}/{one['measures'] or 'own'}": one for one in found}, json_file)


def _case(case: str, asked: argparse.Namespace, kept: Path) -> Iterator[dict[str, Any]]:
    """Read a case, measure its events under several agreements, and print a line of each."""
    read = _apart(case, "read", kept, asked)
    read_s = read["read_s"] / read["rows"]
    measured: dict[int, float] = {}
    for measures in (0, 1, 10) if asked.data else (1, 10):
        one = _apart(case, measures, kept, asked)
        rows, took_s = read["kept_rows"], one.get("took_s", asked.seconds)
        if one:
            measured[measures] = rows / took_s
        rates = {
            "read_per_s": 1 / read_s if read_s else None,
            "measured_per_s": rows / took_s,
            "whole_per_s": 1 / (read_s + took_s / rows),
        }
        texts = [f"{rate:,.0f}" if rate else "–" for rate in rates.values()]
        if one:
            more = f"{one['peak_mb']:>9,.0f}{one['grown_mb'] * (1 << 20) / rows:>11,.0f}"
        else:
            texts[1:], more = [f"< {text}" for text in texts[1:]], f"  stopped after {took_s:,.0f} s"
        print(
            f"{case:9}{measures or 'own':>9}{rows:>9,.0f}{read['kept_events']:>9,}"
            f"{texts[0]:>13}{texts[1]:>17}{texts[2]:>14}{more}",
            flush=True,
        )
        yield {"case": case, "measures": measures, "is_stopped": not one, **read, **one, **rates}
    if 1 in measured and 10 in measured:
        print(f"{'':9}ten measures cost {measured[1] / measured[10]:.1f} times one", flush=True)


def _apart(case: str, measures: int | str, kept: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Run a part of a case in a process of its own; return its figures, none if it was stopped."""
    command = [sys.executable, "-m", "tests.benchmarks", "replay", "--one-run"]
    command += ["--events", str(asked.events), "--seconds", str(asked.seconds), "--run", case, str(measures), str(kept)]
    if asked.data:
        command += ["--data", str(asked.data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode == -signal.SIGXCPU:
        return {}
    done.check_returncode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _read(case: str, asked: argparse.Namespace, kept: Path) -> dict[str, Any]:
    """Read the whole file of a case, or make its events; keep the events of its first subjects."""
    if asked.data:
        file, mapping, _ = PUBLIC[case]
        rules = load_mapping(MAPPINGS / mapping)
        began = time.process_time()
        reading = read_events([asked.data / file], rules)
        read_s = time.process_time() - began
        events, rows = reading.events, reading.rows
    else:
        events = list(MADE[case](random.Random(1), SUBJECTS[case]))
        rows, read_s = len(events), 0.0
    taken = _first_subjects(events, asked.events or len(events))
    # All rows have the same share of the events, also those that make none.
    share = rows * len(taken) / len(events)
    kept.write_bytes(pickle.dumps((bool(asked.data), taken)))
    return {"rows": rows, "events": len(events), "read_s": read_s, "kept_rows": share, "kept_events": len(taken)}


def _first_subjects(events: Sequence[Event], most: int) -> list[Event]:
    """Return the events of the subjects that came first, about as many as asked for: a subject is taken whole."""
    counts = Counter(event.subject_id for event in events)
    taken: set[str] = set()
    left = most
    for subject_id, count in counts.items():
        if left <= 0:
            break
        taken.add(subject_id)
        left -= count
    return [event for event in events if event.subject_id in taken]


def _measure(case: str, measures: int, kept: Path, seconds: int) -> dict[str, Any]:
    """Replay the events of one case; return the time and the memory that it took."""
    idle_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    of_all, events = pickle.loads(kept.read_bytes())
    book = (
        made_book(KINDS[case], measures, of_all=of_all)
        if measures
        else load_agreements([MAPPINGS / "agreements" / PUBLIC[case][2]])
    )
    began = time.process_time()
    end_s = math.ceil(began) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end_s, end_s + 1))
    run_replay(events, book, reading=Reading(), keep_alerts=False)
    took_s = time.process_time() - began
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"took_s": took_s, "peak_mb": peak_kb / 1024, "grown_mb": (peak_kb - idle_kb) / 1024}


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
