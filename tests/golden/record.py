"""Records what the present code writes into all topics: ``python -m tests.golden.record 0.1.0``.

Run it once for each release, with the code of that release, and keep the file: the newest code must read it for ever.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from faust.types import TP

from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing
from tests.e2e.installation import Installation, at
from tests.golden import story
from tests.stream.running import until

FOLDER = Path(__file__).parent


async def recorded(folder: Path) -> dict[str, Any]:
    """Live through the first half; return all records of all topics."""
    (folder / "agreements").mkdir()
    async with Installation.started(at(story.START), folder / "agreements", story.SOURCES) as installation:
        await story.publish(installation)
        async with installation.worker(story.courier()) as worker:
            await story.first_half(installation, worker)
            await _fall_behind(installation, worker)
            runners = tuple(worker.monitor.app.runners.values())
        topics = {
            spec.name: [
                [record.partition, record.offset, *map(_text, (record.key, record.value)), record.timestamp]
                for record in await installation.read(spec.name)
            ]
            for spec in topic_plan(installation.settings)
        }
        rows = {
            f"{runner.state.topic}/{runner.state.partition}": {
                base64.b85encode(key).decode(): shown(runner.state.codec.decode(key, encoded))
                for key, encoded in sorted(runner.state.rows.items())
            }
            for runner in runners
        }
        return {"now_ms": installation.clock.now_ms(), "topics": topics, "rows": rows}


async def _fall_behind(installation: Installation, worker: Any) -> None:
    """Have a foreign topic say that it catches up, so that the rows of that are there too.

    In 0.1.0 it says so among the events; later releases have a topic of markers.
    """
    marker = json.dumps({"source": "jira-webhooks/0", "watermark_ms": at(story.STOP) - 60_000, "behind": True}).encode()
    for partition in range(2):
        await installation.send(
            Outgoing("tickets", b"jira-webhooks/0", marker, partition=partition, headers=[("sla-marker", b"1")])
        )
    states = {tp: runner.state for tp, runner in worker.monitor.app.runners.items()}
    await until(lambda: b"mjira-webhooks/0" in states[TP("tickets", 0)].rows)
    await until(lambda: b"mtickets/0" in states[TP("partials", 0)].rows)


def shown(value: Any) -> Any:
    """Return a row, or a part of one, as JSON that names all fields."""
    if hasattr(value, "_asdict"):
        return {name: shown(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): shown(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b85encode(data).decode()


def main() -> None:
    """Write the file of a release."""
    (release,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(recorded(Path(folder)))
    file = FOLDER / f"{release}.json.gz"
    file.write_bytes(gzip.compress(json.dumps(found, separators=(",", ":")).encode(), 9, mtime=0))
    sizes = {name: len(rows) for name, rows in found["topics"].items()}
    print(file.name, file.stat().st_size, "bytes", sizes)  # noqa: T201 - a program


if __name__ == "__main__":
    main()
