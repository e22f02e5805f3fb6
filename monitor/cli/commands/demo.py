"""``sla-monitor demo``: everything at work on this machine, with nothing else installed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Final, TextIO, cast

import click
from rich.console import Console

import monitor.demo
from monitor.cli.demonstration import Options, demonstrate
from monitor.cli.terminal.options import example
from monitor.cli.terminal.patient import PatientStream, left_out_line, patient
from monitor.config.agreements.checking import read_documents
from monitor.demo.display import mode_for, open_display
from monitor.demo.picture import picture as svg_of
from monitor.stream.partitions.worker import loop_factory

EXAMPLES: Final = Path(monitor.demo.__file__).parent / "agreements"


@click.command(epilog=example("sla-monitor demo", "sla-monitor demo --for 60 --json | jq .kind"))
@click.option(
    "--speed",
    type=click.FloatRange(min=1, max=3600),
    default=60.0,
    show_default=True,
    help="Times faster than real time.",
)
@click.option("--for", "for_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after that.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines for machines.")
@click.option(
    "--agreements",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Agreement files or folders instead of the four examples.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the course of chance.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Of /metrics; 0 takes a free one."
)
@click.option(
    "--web-port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Of the pages; 0 takes a free one."
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write the last screen as an SVG picture.",
)
def demo(
    speed: float,
    for_s: float | None,
    as_json: bool,  # noqa: FBT001 - click's
    agreements: tuple[Path, ...],
    seed: int,
    port: int,
    web_port: int,
    picture: Path | None,
) -> None:
    """Watch simulated promises being kept and broken, live.

    A service desk, a call centre, a network and a sales department are simulated. An embedded broker, a worker and
    simulated traffic run in this process; nothing is left behind. It shows what was promised, what is at risk, and what
    broke and why, until Ctrl-C or for so many seconds.
    """
    documents = read_documents(agreements or [EXAMPLES])
    # Warnings would tear the picture; what makes it fail is told at its end.
    logging.getLogger("monitor").addHandler(logging.NullHandler())
    # Where nobody reads what it shows, it goes on: a pager, a terminal that was stopped with Ctrl-S.
    stream = patient(sys.stdout, _left_out_json if as_json else _no_line if sys.stdout.isatty() else left_out_line)
    console = Console(file=cast("TextIO", stream), markup=False, highlight=False, emoji=False)
    display = open_display(mode_for(console, os.environ, as_json=as_json), console)
    options = Options(documents=documents, speed=speed, for_s=for_s, seed=seed, port=port, web_port=web_port)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            last = runner.run(demonstrate(options, display))
        if picture is not None:
            picture.write_text(svg_of(last), encoding="utf-8")
    finally:
        if isinstance(stream, PatientStream):
            stream.drain()


def _left_out_json(lines: int) -> str:
    return json.dumps({"kind": "left_out", "lines": lines}) + "\n"


def _no_line(_lines: int) -> str:
    return ""  # it would tear the picture
