"""Kafka Streams, exactly once, by the DSL and by the Processor API; Java, built with Maven into the cache.

Fair to it: `Main.java` says how it is configured. The virtual machine compiles while it works and needs about a million
events to be warm: the longest job is 1.5 million, and its first fifth (cold) and last two fifths (warm) are shown by
themselves. The DSL moves answers through a topic by customer and has whole panes there; the Processor API keeps panes
of each source partition, as sla-monitor does. Progress is what its group has committed at the broker, as by default
every 100 ms; panes are read from the changelog of their store.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.peers.place import Peer
from tests.benchmarks.peers.reading import changelog, ids, kafka_streams_panes
from tests.benchmarks.peers.running import Process, Ran, UnavailableError, watched
from tests.benchmarks.peers.work import TARGET_MS, Outcome, outcome
from tests.kafka.broker import cache_folder

if TYPE_CHECKING:
    from tests.benchmarks.peers.place import Place

SOURCES: Final = Path(__file__).parent
POM: Final = (SOURCES / "pom.xml").read_text(encoding="utf-8")
VERSION: Final = POM.partition("<artifactId>kafka-streams</artifactId>")[2].partition("<version>")[2].partition("<")[0]
COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
BUILD_S: Final = 600


def build() -> Path:
    """Return the folder with the classes and the jars; build it with Maven if this source has not been built yet.

    Raises:
        UnavailableError: the JDK or Maven is missing, or Maven fails.
    """
    sources = [SOURCES / "pom.xml", *sorted(SOURCES.rglob("*.java"))]
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:12]
    built = cache_folder() / f"peers-kafka-streams-{digest}"
    if built.is_dir():
        return built
    for needed in ("javac", "mvn"):
        if shutil.which(needed) is None:
            raise UnavailableError(f"there is no {needed} to build it with")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        shutil.copy(SOURCES / "pom.xml", work)
        shutil.copytree(SOURCES / "src", Path(work, "src"))
        try:
            done = subprocess.run(
                ["mvn", "-q", "-B", "compile", COPY, "-DoutputDirectory=target/lib"],
                cwd=work, capture_output=True, text=True, timeout=BUILD_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"Maven has not built it within {BUILD_S} s") from error
        if done.returncode:
            raise UnavailableError(f"Maven cannot build it: {(done.stdout + done.stderr)[-600:]}")
        try:
            Path(work, "target").rename(built)
        except OSError:  # another run was faster
            if not built.is_dir():
                raise
    return built


def run(place: Place, topology: str) -> tuple[Ran, Outcome]:
    built = build()
    targets = ",".join(f"{priority}={target_ms}" for priority, target_ms in TARGET_MS.items())
    command = [
        "java", "-cp", f"{built}/classes:{built}/lib/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "peers.Main",
        topology, place.bootstrap, place.app_id, place.source, place.late, str(place.folder / "state"), targets,
    ]  # fmt: skip
    with Process(command, place.folder / "log") as process:
        samples = asyncio.run(watched(process, place))
        told = process.stop()
        ran = Ran(samples, process.peak_mb, told)
    rows = asyncio.run(changelog(place.bootstrap, f"{place.app_id}-panes-changelog"))
    late = asyncio.run(ids(place.bootstrap, place.late))
    return ran, outcome(late, kafka_streams_panes(rows, windowed=topology == "dsl"))


PEERS: Final = (
    Peer(
        "kafka-streams-dsl", "long",
        f"{VERSION}, exactly once; moves answers by customer through a topic",
        lambda place: run(place, "dsl"),
    ),
    Peer(
        "kafka-streams-processor", "long",
        f"{VERSION}, exactly once; panes by source partition",
        lambda place: run(place, "processor"),
    ),
)  # fmt: skip
