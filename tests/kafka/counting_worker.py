"""A worker process: ``python -m tests.kafka.counting_worker`` with its settings as JSON in ``WORKER``."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from monitor.stream.partitions.app import WorkerSettings, build_app
from monitor.stream.partitions.worker import main_worker, set_log_levels
from tests.stream.counting import counting_source


def main() -> int:
    given = json.loads(os.environ["WORKER"])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    set_log_levels(logging.INFO)
    settings = WorkerSettings(
        app_id=given["app"],
        bootstrap=given["bootstrap"],
        instance_id=given.get("instance"),
        session_timeout_s=given.get("session_s", 6.0),
        heartbeat_interval_s=1.0,
        transaction_timeout_s=given.get("transaction_s", 6.0),
        data_dir=Path(given["data"]),
    )
    source = counting_source(
        given["topic"],
        silence_ms=given["silence_ms"],
        grace_ms=given["grace_ms"],
        alerts=given["alerts"],
        silent=given["silent"],
    )
    return main_worker(lambda: build_app(settings, {source.topic: source}))


if __name__ == "__main__":
    sys.exit(main())
