"""The tools of Python: each is a program beside this one, which its own interpreter runs and nothing here imports."""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from monitor.stream.kafka.topics import TopicSpec, create_topics
from tests.benchmarks import job
from tests.benchmarks.peers import environments
from tests.benchmarks.peers.environments import python_with
from tests.benchmarks.peers.place import Peer
from tests.benchmarks.peers.reading import changelog, faust_panes, ids
from tests.benchmarks.peers.running import Process, Ran, Sample, ended, watched
from tests.benchmarks.peers.work import TARGET_MS, Outcome, outcome, panes_of

if TYPE_CHECKING:
    from tests.benchmarks.peers.place import Place

QUIX, BYTEWAX = (environments.requirement(one).partition("==")[2] for one in ("quixstreams", "bytewax"))


def quix(place: Place) -> tuple[Ran, Outcome]:
    """Run Quix Streams. It stops by itself when all is committed, and prints its panes."""
    with started("quix", python_with("quixstreams", place.python_peers), place) as process:
        samples = asyncio.run(watched(process, place))
        told = process.stop()
        ran = Ran(samples, process.peak_mb, {"late": told["late"]})
    return ran, outcome(late_answers(place), panes_of(told["panes"]))


def stock_faust(place: Place) -> tuple[Ran, Outcome]:
    """Run stock Faust, until its group has committed all."""
    # It would create them itself, but its tables raise PartitionsMismatch where it has not heard of them in time.
    names = [f"{place.app_id}-{table}-changelog" for table in ("opened", "panes")]
    changelogs = [TopicSpec(name=name, partitions=job.PARTITIONS, cleanup="compact") for name in names]
    asyncio.run(create_topics(place.bootstrap, changelogs))
    with started("stock_faust", sys.executable, place) as process:
        samples = asyncio.run(watched(process, place))
        ran = Ran(samples, process.peak_mb, process.stop())
    rows = asyncio.run(changelog(place.bootstrap, names[1]))
    return ran, outcome(late_answers(place), faust_panes(rows))


def bytewax(place: Place, waits_h: int) -> tuple[Ran, Outcome]:
    """Run Bytewax, which ends with the topic, and prints its progress and its panes."""
    python = python_with("bytewax", place.python_peers)
    with started("bytewax_flow", python, place, waits_h=waits_h) as process:
        told = ended(process, place)
        ran = Ran([Sample(*one) for one in told["samples"]], process.peak_mb, {"late": told["late"]})
    return ran, outcome(late_answers(place), panes_of(told["panes"]))


def started(program: str, python: str, place: Place, **more: Any) -> Process:
    """Return the process of a program of this package, which is not started yet."""
    plan = {
        "bootstrap": place.bootstrap, "source": place.source, "events": place.events, "app_id": place.app_id,
        "late": place.late, "folder": str(place.folder), "targets": TARGET_MS, **more,
    }  # fmt: skip
    return Process([python, "-m", f"{__package__}.{program}", json.dumps(plan)], place.folder / "log")


def late_answers(place: Place) -> list[str]:
    """Return the tickets that a tool has written as answered too late."""
    return asyncio.run(ids(place.bootstrap, place.late))


PEERS: Final = (
    Peer("quix", "usual", f"{QUIX}, exactly once; moves answers by customer through a topic", quix),
    Peer(
        "bytewax",
        "usual",
        f"{BYTEWAX}, at least once; windows wait 72 h: nothing is late",
        partial(bytewax, waits_h=72),
    ),
    Peer("bytewax-2h", "usual", f"{BYTEWAX}, at least once; windows wait 2 h", partial(bytewax, waits_h=2)),
    Peer(
        "stock-faust", "short", f"{version('faust-streaming')}, at least once; panes by source partition", stock_faust
    ),
)
