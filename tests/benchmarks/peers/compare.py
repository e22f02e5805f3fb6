"""Runs the tools one after the other over the same records, checks each, and tells how they compare."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from monitor.stream.kafka.topics import TopicSpec, create_topics
from monitor.stream.partitions.collector import COLLECTOR_THRESHOLDS
from tests.benchmarks import job, write_json
from tests.benchmarks.peers import kafka_streams, python_tools, sla_monitor
from tests.benchmarks.peers.place import Place
from tests.benchmarks.peers.running import CORE, UnavailableError, WrongError, rate
from tests.benchmarks.peers.work import differences, expected, records_of

if TYPE_CHECKING:
    import argparse

    from tests.benchmarks.peers.place import Peer, Size
    from tests.benchmarks.peers.running import Ran
    from tests.benchmarks.peers.work import Outcome, Records

PEERS: Final = (*sla_monitor.PEERS, *kafka_streams.PEERS, *python_tools.PEERS)
SHARES: Final = {"long": (1.0, 5), "usual": (1.0, 1), "short": (0.2, 1)}
"""By size: the tickets of a wave, as a share of those that were asked for, and the waves."""
COLD: Final = 0.2
"""The first share of the longest job, which is its first wave: 300,000 of 1.5 million events."""
WARM: Final = 0.6
"""Where the last share of the longest job begins: its last 600,000 events."""
SLOWEST_PER_S: Final = 1_000
"""A tool that is slower than this is given up."""
START_S: Final = 120
KEPT_MS: Final = -1


class Jobs:
    """The jobs by size, each on a topic of its own, made when it is first needed."""

    def __init__(self, bootstrap: str, tickets: int, run_id: str) -> None:
        self.bootstrap = bootstrap
        self._tickets = tickets
        self._run_id = run_id
        self.get = cache(self._get)

    def _get(self, size: Size) -> tuple[str, int, Outcome]:
        """Return the topic with the records of a job, their number, and what must come out of them."""
        share, waves = SHARES[size]
        records = records_of(max(1, int(self._tickets * share)), waves)
        topic = f"{self._run_id}-{size}-tickets"
        spec = TopicSpec(name=topic, partitions=job.PARTITIONS, retention_ms=KEPT_MS)
        asyncio.run(create_topics(self.bootstrap, [spec]))
        asyncio.run(job.publish(self.bootstrap, topic, records))
        return topic, len(records), _told_of(size, records)


def _told_of(size: Size, records: Records) -> Outcome:
    wanted = expected(records)
    size_b = sum(len(value) for _, value in records) / len(records)
    print(f"{size} job: {len(records):,} events of {size_b:.0f} bytes, {wanted.breaches:,} breaches", flush=True)
    return wanted


def compare(json_path: Path | None, asked: argparse.Namespace) -> None:
    """Measure the limit and each tool that was asked for.

    Raises:
        SystemExit: sla-monitor is wrong. Of others that is told and does not end it.
    """
    figures: dict[str, Any] = {"tickets": asked.tickets, "load_1m": os.getloadavg()[0]}
    with job.kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="sla-monitor-peers-") as folder:
        run_id = f"peers-{time.time_ns() // 1_000_000}"
        jobs = Jobs(bootstrap, asked.tickets, run_id)
        chosen = [one for one in PEERS if one.name in asked.only]
        longest: Size = "long" if any(one.size == "long" for one in chosen) else "usual"
        figures["plain-loop"] = plain = limit(bootstrap, *jobs.get(longest)[:2])
        print(f"{'plain loop (the limit)':26}{plain['per_s']:>10,.0f} events/s, {plain['cpu_us']:.2f} us CPU each")
        for peer in chosen:
            topic, events, wanted = jobs.get(peer.size)
            own = Path(folder, peer.name)
            own.mkdir()
            late = f"{run_id}-{peer.name}-late"
            asyncio.run(create_topics(bootstrap, [TopicSpec(name=late, partitions=job.PARTITIONS)]))
            place = Place(
                bootstrap, topic, events, f"{run_id}-{peer.name}", late, own, asked.python_peers,
                START_S + events / SLOWEST_PER_S,
            )  # fmt: skip
            figures[peer.name] = one = measured(peer, place, wanted, plain["per_s"])
            print(line(peer, one), flush=True)
    for name, ratio in ratios(figures).items():
        figures[name]["sla_monitor_to_it"] = ratio
        print(f"sla-monitor is {ratio:.2f} times {name}")
    write_json(figures, json_path)
    if text := failure(figures):
        raise SystemExit(text)


def failure(figures: dict[str, Any]) -> str:
    """Return why the benchmark fails: what is wrong with sla-monitor, not with others; empty if nothing is."""
    wrong = figures.get("sla-monitor", {}).get("wrong")
    return "\n".join(["sla-monitor says something else than the job holds:", *wrong]) if wrong else ""


def limit(bootstrap: str, topic: str, events: int) -> dict[str, float]:
    """Return the figures of the plain loop.

    Raises:
        SystemExit: the job is so small that one fetch holds it.
    """
    thresholds = orjson.dumps(COLLECTOR_THRESHOLDS).decode()
    plain = job.child(["tests.benchmarks.plain_loop", bootstrap, topic, str(events), thresholds], CORE)
    if not plain["events"]:
        raise SystemExit(f"{events:,} events are all in the first fetch: name larger --tickets")
    return {"per_s": plain["events"] / plain["seconds"], "cpu_us": plain["cpu"] / plain["events"] * 1e6}


def measured(peer: Peer, place: Place, wanted: Outcome, plain_per_s: float) -> dict[str, Any]:
    """Return the figures of a tool; of one that cannot be measured, the reason."""
    try:
        ran, said = peer.run(place)
    except UnavailableError as reason:
        return {"skipped": str(reason)}
    except WrongError as reason:
        return {"wrong": [str(reason)]}
    return figures_of(peer, ran, said, wanted, plain_per_s)


def figures_of(peer: Peer, ran: Ran, said: Outcome, wanted: Outcome, plain_per_s: float) -> dict[str, Any]:
    """Return the figures of a run: of all of it, and of the longest job's first and last part."""
    found: dict[str, Any] = {"events": ran.samples[-1].events, "peak_mb": ran.peak_mb, **ran.told}
    parts = {"": (0.0, 1.0)} | ({"cold_": (0.0, COLD), "warm_": (WARM, 1.0)} if peer.size == "long" else {})
    for prefix, (after, until) in parts.items():
        if one := rate(ran.samples, after, until):
            found[f"{prefix}per_s"] = one.per_s
            found[f"{prefix}cpu_us"] = one.cpu_us
            found[f"{prefix}to_plain"] = one.per_s / plain_per_s
    found["breaches"] = said.breaches
    found["wrong"] = differences(wanted, said)
    return found


def line(peer: Peer, one: dict[str, Any]) -> str:
    """Return the figures of a tool in words."""
    head = f"{peer.name:26}"
    if "skipped" in one:
        return f"{head}skipped: {one['skipped']}"
    parts = []
    if "events" in one:
        parts.append(f"{one['peak_mb']:.0f} MB at most; {peer.does}")
    else:
        parts.append("not measured")
    for prefix, words in (("warm_", "warm "), ("cold_", "cold "), ("", "all  ")):
        if f"{prefix}per_s" in one:
            parts.insert(
                0,
                f"{words}{one[f'{prefix}per_s']:>10,.0f} events/s, {one[f'{prefix}to_plain']:.3f} of the limit, "
                f"{one[f'{prefix}cpu_us']:.1f} us CPU each",
            )
    parts += [f"WRONG: {what}" for what in one["wrong"]] or ["all breaches and panes are right"]
    return head + f"\n{'':26}".join(parts)


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """Return sla-monitor's speed as a multiple of each other tool's, over jobs of one size.

    Both are warm if the other did the longest job; else ours is that of the first part, which is as long as the usual
    job: a worker that has kept more is slower.
    """
    ours = figures.get("sla-monitor", {})
    found = {}
    for peer in PEERS:
        one = figures.get(peer.name, {})
        our, its = ("warm_per_s", "warm_per_s") if peer.size == "long" else ("cold_per_s", "per_s")
        if peer.name != "sla-monitor" and our in ours and its in one:
            found[peer.name] = ours[our] / one[its]
    return found
