"""``sla-monitor health``: asks a worker whether it is well, for container engines and scripts."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import example, json_option, read_settings
from monitor.cli.terminal.output import Output
from monitor.config.settings.web import WebSettings

ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a worker may listen on, not we
LONGEST_ANSWER: Final = 4_096


@click.command(epilog=example("sla-monitor health", "sla-monitor health --ready --url http://127.0.0.1:6066"))
@click.option("--ready", is_flag=True, help="Ask whether it is ready (/readyz), not only alive (/healthz).")
@click.option("--url", metavar="URL", help="Where the worker is (default: where the settings say, on this machine).")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=3.0, show_default=True, help="Seconds.")
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (YAML). Without it the one that SLA_MONITOR_SETTINGS names.",
)
@json_option
def health(
    out: Output,
    ready: bool,  # noqa: FBT001 - click's
    url: str | None,
    timeout: float,
    file: Path | None,
) -> None:
    """Ask a running worker whether it is alive, or ready.

    Exit code 0: it is. Exit code 1: it says no, or it does not answer; the line says why.
    """
    base = url or address_of(read_settings(file).web)
    well, why = ask(base.rstrip("/") + ("/readyz" if ready else "/healthz"), timeout)
    out.say(why)
    out.record(ok=well, url=base, why=why)
    if not well:
        click.get_current_context().exit(FAILED)


def address_of(web: WebSettings) -> str:
    """Return where a worker with these settings answers on this machine."""
    host = ANY_ADDRESS.get(web.host, web.host)
    return f"http://[{host}]:{web.port}" if ":" in host else f"http://{host}:{web.port}"


def ask(url: str, timeout_s: float) -> tuple[bool, str]:
    """Return whether the answer of a page is 200, and its first line or why there is none."""
    parts = urlsplit(url)
    try:
        if parts.scheme != "http" or not parts.hostname:
            raise click.UsageError(f"{url} is no address of a worker: write http://HOST:PORT")
        with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)) as connection:
            connection.request("GET", parts.path)
            answer = connection.getresponse()
            text = answer.read(LONGEST_ANSWER).decode("utf-8", "replace").strip()
    except ValueError as error:  # a port that is none
        raise click.UsageError(f"{url} is no address of a worker: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        return False, f"no answer from {url}: {error}"
    return answer.status == http.client.OK, text.partition("\n")[0] or f"HTTP {answer.status}"
