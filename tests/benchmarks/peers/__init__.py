"""The same job by other tools: Kafka Streams, Quix Streams, Bytewax, stock Faust, beside sla-monitor; a real Kafka.

Each tool keeps the clock of the first response of every ticket and one-minute panes of count, sum and maximum per
customer in state that outlives a crash, and writes a record for each answer that came too late. All read the same
records from the same broker, each alone on one core; the broker has the other. What each wrote and kept is compared
with what the job holds: a tool that is wrong is shown with what differs.

A run measures every tool once, so ratios are those of one run, and the limit (a plain aiokafka loop) is measured in it.
How each tool is configured, and what is fair to say about it, stands at the head of its module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

TICKETS = 150_000
NAMES = (
    "sla-monitor",
    "kafka-streams-dsl",
    "kafka-streams-processor",
    "quix",
    "bytewax",
    "bytewax-2h",
    "stock-faust",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--tickets",
        type=int,
        default=TICKETS,
        metavar="N",
        help=f"of the job of Quix and Bytewax [{TICKETS:,}]; the longest job has 5 N, that of stock Faust N / 5",
    )
    parser.add_argument(
        "--python-peers",
        metavar="FILE",
        help="an interpreter that has the extra `bench` [one that is made in the cache, with pip]",
    )


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    # Its children are modules of this package, and some run where no package of the project is installed.
    from tests.benchmarks.peers.compare import compare  # noqa: PLC0415 - see above

    compare(json_path, asked)
