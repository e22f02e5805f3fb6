"""Shows a demonstration while it runs: a live screen, plain lines where there is no terminal, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from monitor.core.agreements.indicators import NAMED
from monitor.core.alerts.alert import Alert
from monitor.demo.screen import STATE_STYLES, addresses, clock_text, render_screen, safe
from monitor.demo.view import DemoView, promises, summary
from monitor.wire.announcements import stretches_json
from monitor.wire.times import READERS
from monitor.wire.visible import json_for_terminal
from monitor.wire.wording import explain, quantity

STATUS_EVERY_S: Final = 10.0
"""Real seconds between two status lines, where there is no live screen."""

Mode = Literal["live", "plain", "json"]


class Display(Protocol):
    """Something that shows a demonstration; used in a ``with`` block."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...

    def show(self, view: DemoView) -> None:
        """Show a moment; call it a few times a second."""
        ...

    def finish(self, view: DemoView) -> None:
        """Show the results, after the block or as its last act."""
        ...


def mode_for(console: Console, environ: Mapping[str, str], *, as_json: bool = False) -> Mode:
    """Return how to show it: live only on a terminal that can move its cursor and where colour is wanted."""
    if as_json:
        return "json"
    plain = environ.get("NO_COLOR") or environ.get("TERM") == "dumb" or not console.is_terminal
    return "plain" if plain else "live"


def open_display(mode: Mode, console: Console) -> Display:
    """Return a display on a console."""
    if mode == "live":
        return LiveScreen(console)
    return PlainLines(console) if mode == "plain" else JsonLines(console)


class LiveScreen:
    """The picture, drawn anew in its place."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, view: DemoView) -> None:
        """Draw a moment."""
        self._live.update(render_screen(view, self.console.height, self.console.width), refresh=True)

    def finish(self, view: DemoView) -> None:
        """Give the terminal back, and leave the last picture and the summary on it."""
        self._live.stop()
        self.console.print(render_screen(view, width=self.console.width))
        _print_summary(self.console, view)


class _Lines:
    """Writes line by line; knows which alerts it has written."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._told: set[str] = set()
        self._status_s = 0.0
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def show(self, view: DemoView) -> None:
        """Write new alerts, and a status now and then."""
        if not self._begun:
            self._begun = True
            self.begin(view)
        for alert in view.alerts:
            if alert.id not in self._told:
                self._told.add(alert.id)
                self.alert(alert)
        if view.ran_s - self._status_s >= STATUS_EVERY_S:
            self._status_s = view.ran_s
            self.status(view)

    def begin(self, view: DemoView) -> None:
        """Write the opening lines."""
        raise NotImplementedError

    def alert(self, alert: Alert) -> None:
        """Write a new alert."""
        raise NotImplementedError

    def status(self, view: DemoView) -> None:
        """Write how it stands."""
        raise NotImplementedError


class PlainLines(_Lines):
    """Lines for people: the promises, each alert, a status now and then."""

    def begin(self, view: DemoView) -> None:
        """Write the address of the board, the promises, and the other addresses."""
        if board := view.addresses.get("board"):
            self._write(f"board     {board}  (open it in a browser)")
        self._write(f"sla-monitor demo, {view.speed:g} × real time, from {clock_text(view.start_ms)}")
        for promise in promises(view):
            objective = promise.objective
            indicator, comparison, bound = objective.judged
            target = f"{comparison} {quantity(NAMED[indicator].unit, bound)}"
            self._write(f"promised  {promise.agreement.id}: {indicator} of {objective.measure} {target}")
        if view.addresses:
            self._write(f"open      {addresses(view)}")

    def alert(self, alert: Alert) -> None:
        """Write an alert, unless it is history."""
        if not alert.backfill:
            said = Text.assemble(
                f"{clock_text(alert.at_ms)[11:19]}  ",
                (f"{alert.state:<9}", STATE_STYLES[alert.state]),
                " ",
                safe(explain(alert, READERS)["summary"]),
            )
            self.console.print(said, soft_wrap=True)

    def status(self, view: DemoView) -> None:
        """Write the health in a line."""
        counters = view.counters
        self._write(
            f"{clock_text(view.now_ms)[11:19]}  {'healthy' if view.healthy else 'NOT HEALTHY'} {view.health}: "
            f"{counters.events:,} events, lag {counters.lag:,}, {sum(counters.dead_letters.values()):,} dead letters"
        )

    def finish(self, view: DemoView) -> None:
        """Write the summary."""
        self.show(view)
        _print_summary(self.console, view)

    def _write(self, line: str) -> None:
        self.console.print(safe(line), soft_wrap=True)


class JsonLines(_Lines):
    """One JSON object a line: ``start``, ``alert``, ``status`` and at last ``summary``, by their ``kind``."""

    def begin(self, view: DemoView) -> None:
        """Write the start and the addresses to open."""
        self._write("start", {"start_ms": view.start_ms, "speed": view.speed, "addresses": dict(view.addresses)})

    def alert(self, alert: Alert) -> None:
        """Write an alert with its explanation."""
        parts = {"key": alert.key._asdict(), "details": dict(alert.details), "explained": explain(alert)}
        self._write("alert", alert._asdict() | parts | {"stretches": stretches_json(alert.stretches)})

    def status(self, view: DemoView) -> None:
        """Write the counters."""
        counters = view.counters
        said = {
            "now_ms": view.now_ms,
            "ran_seconds": round(view.ran_s, 3),
            "healthy": view.healthy,
            "health": view.health,
            "events": counters.events,
            "lag": counters.lag,
            "dead_letters": dict(counters.dead_letters),
            "alerts": dict(counters.alerts),
        }
        self._write("status", said)

    def finish(self, view: DemoView) -> None:
        """Write the summary."""
        self.show(view)
        self._write("summary", summary(view))

    def _write(self, kind: str, fields: Mapping[str, object]) -> None:
        line = json.dumps({"kind": kind, **fields}, ensure_ascii=False).encode("utf-8", "backslashreplace")
        self.console.file.write(json_for_terminal(line).decode() + "\n")
        self.console.file.flush()


def _print_summary(console: Console, view: DemoView) -> None:
    found = summary(view)
    alerts = ", ".join(f"{count} {state}" for state, count in found["alerts"].items()) or "none"
    dead = ", ".join(f"{count} {reason}" for reason, count in found["dead_letters"].items()) or "none"
    first = found["first_breach_after_seconds"]
    minutes = found["simulated_seconds"] / 60
    lines = [
        f"{found['events']:,} events of {minutes:.0f} simulated minutes in {found['ran_seconds']:.0f} s",
        f"alerts: {alerts}" + ("" if first is None else f"; the first breach after {first:.1f} s"),
        f"pages: {', '.join(f'{count} to {name}' for name, count in found['pages'].items()) or 'none'}",
        f"dead letters: {dead}",
    ]
    verdicts = [one["worst"]["verdict"] for one in found["objectives"] if one["worst"]]
    if verdicts:
        lines.append(
            f"objectives: {len(found['objectives'])}, {verdicts.count('breached')} breached, "
            f"{verdicts.count('at_risk')} at risk in their worst series"
        )
    console.print()
    for line in lines:
        console.print(Text(line), soft_wrap=not console.is_terminal)
