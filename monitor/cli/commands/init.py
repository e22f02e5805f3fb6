"""``sla-monitor init``: files to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from monitor.cli.terminal.options import example, json_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings_file import commented_settings
from monitor.errors import SlaMonitorError

STARTER: Final = Path(__file__).parents[1] / "starter"


@click.command(epilog=example("sla-monitor init sla", "sla-monitor settings --settings sla/settings.yaml"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@json_option
def init(out: Output, folder: Path) -> None:
    """Write a settings file, an agreement and a mapping to start from.

    All are commented: what each line means, and what to write instead. Nothing that exists is overwritten.
    """
    texts = {
        folder / "settings.yaml": ("every setting, at its default", commented_settings()),
        folder / "agreements" / "service-desk.yaml": ("what is promised, a draft", _starter("agreement.yaml")),
        folder / "mappings" / "tickets.yaml": ("how records of others become events", _starter("mapping.yaml")),
    }
    there = [str(path) for path in texts if path.exists()]
    if there:
        raise SlaMonitorError(f"{', '.join(there)}: exists already; nothing was written. Name another folder")
    try:
        for path, (_, text) in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise SlaMonitorError(f"{error.filename}: cannot be written: {error.strerror}") from error
    for path, (what, _) in texts.items():
        out.record(file=str(path), what=what)
    out.table(("written", ""), [(str(path), what) for path, (what, _) in texts.items()])
    settings = f"--settings {folder / 'settings.yaml'}"
    out.say()
    out.say("Next:", style="bold")
    out.say(f"  sla-monitor check {folder / 'agreements'}")
    out.say(f"  sla-monitor topics create {settings}")
    out.say(f"  sla-monitor agreements apply {folder / 'agreements'} {settings}")
    out.say(f"  sla-monitor worker {settings}")


def _starter(name: str) -> str:
    return (STARTER / name).read_text(encoding="utf-8")
