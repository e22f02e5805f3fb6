"""The live picture of a demonstration: promises, clocks at risk, breaches and their reasons."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.core.agreements.indicators import NAMED
from monitor.core.alerts.alert import OF_SERIES, Alert
from monitor.core.objectives.status import Verdict
from monitor.core.time.units import MINUTE_MS
from monitor.demo.view import DemoView, Promise, at_risk, promises
from monitor.wire.times import READERS, duration, instant
from monitor.wire.wording import quantity, shown_apart, unit_of
from monitor.wire.wording import summary as sentence

VERDICT_STYLES: Final[dict[Verdict, str]] = {
    "breached": "bold red",
    "at_risk": "yellow",
    "on_track": "green",
    "met": "green",
    "low_sample": "dim",
    "provisional": "dim",
    "no_data": "dim",
}
STATE_STYLES: Final = {
    "breached": "bold red",
    "at_risk": "yellow",
    "resolved": "green",
    "voided": "cyan",
    "rearmed": "blue",
}
DEFAULT_HEIGHT: Final = 48
DEFAULT_WIDTH: Final = 140
NARROW: Final = 110
"""Below this width, what is least needed is left out."""
_FRAME: Final = 14
"""Lines that are always there: the head, the foot, titles and headings."""
_FEWEST: Final = 3
SOON_MS: Final = 2 * MINUTE_MS


def render_screen(view: DemoView, height: int = DEFAULT_HEIGHT, width: int = DEFAULT_WIDTH) -> RenderableType:
    """Return the picture of a moment, fitted to the size of the terminal (but at least 23 lines)."""
    narrow = width < NARROW
    wanted = promises(view)
    risks = at_risk(view)
    lines = max(3 * _FEWEST, height - _FRAME)
    for_risks = max(_FEWEST, min(len(risks), lines // 4))
    for_promises = max(_FEWEST, min(len(wanted), (lines - for_risks) * 3 // 5))
    for_alerts = max(_FEWEST, lines - for_risks - for_promises)
    return Group(
        _head(view),
        Text(),
        _promised(wanted, for_promises, narrow=narrow),
        Text(),
        _at_risk(risks, view.now_ms, for_risks, narrow=narrow),
        Text(),
        _broke(view, for_alerts),
        Text(),
        _foot(view),
    )


def _table(title: str) -> Table:
    return Table(
        title=Text(title), title_justify="left", title_style="bold", box=None, expand=True, pad_edge=False,
        show_edge=False, header_style="dim",
    )  # fmt: skip


def _head(view: DemoView) -> Text:
    board = view.addresses.get("board")
    return Text.assemble(
        (f"open {board}   " if board else "", "bold cyan"),
        ("sla-monitor demo", "bold"),
        (" (Ctrl-C ends it)", "dim"),
        f"   {clock_text(view.now_ms)}, {view.speed:g} × real time",
        no_wrap=True,
        overflow="ellipsis",
    )


def _promised(wanted: list[Promise], lines: int, *, narrow: bool) -> Table:
    table = _table(_title("What was promised, by its worst series", len(wanted), lines))
    names = ("promise", "target", "worst now", "where", "verdict")
    for name in names if narrow else ("agreement", *names):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for promise in _worst(wanted, lines):
        objective = promise.objective
        indicator, comparison, target = objective.judged
        unit = NAMED[indicator].unit
        value, where, said = "–", "", Text("no_data", VERDICT_STYLES["no_data"])
        if promise.worst is not None:
            status, verdict = promise.worst
            value = "–" if verdict.value is None else shown_apart(unit, verdict.value, verdict.target)[0]
            where = " ".join((*filter(None, status.labels.values()), status.window))
            said = Text(verdict.verdict, VERDICT_STYLES[verdict.verdict])
            alike, total = promise.standing[verdict.verdict], sum(promise.standing.values())
            if total > 1 and not narrow:
                said.append(f"  {alike} of {total}", "dim")
        cells = (
            Text(objective.id if narrow else f"{objective.id}: {objective.indicator} of {objective.measure}"),
            Text(f"{comparison} {quantity(unit, target)}"),
            Text(value),
            safe(where),
            said,
        )
        table.add_row(*(cells if narrow else (Text(promise.agreement.id, "dim"), *cells)))
    return table


def _worst(wanted: list[Promise], lines: int) -> list[Promise]:
    """Return as many as fit, in their order; where not all fit, the worst ones."""
    ranks = {verdict: rank for rank, verdict in enumerate(VERDICT_STYLES)}
    by_rank = sorted(wanted, key=lambda one: ranks[one.worst[1].verdict] if one.worst else len(ranks))
    kept = {id(one) for one in by_rank[:lines]}
    return [one for one in wanted if id(one) in kept]


def _at_risk(risks: list[Alert], now_ms: int, lines: int, *, narrow: bool) -> Table:
    table = _table(_title("What is at risk", len(risks), lines))
    names = ("due in", "who", "promise", "why")
    for name in names if narrow else (*names, "about"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for alert in risks[:lines]:
        countdown = "–" if alert.due_ms is None else duration(alert.due_ms - now_ms)
        soon = alert.due_ms is not None and alert.due_ms < now_ms + SOON_MS
        cells = (
            Text(countdown, "bold red" if soon else "yellow"),
            safe(who(alert)),
            Text(alert.key.promise),
            Text(why(alert)),
        )
        table.add_row(*(cells if narrow else (*cells, safe(about(alert), "dim"))))
    if not risks:
        table.add_row(Text("nothing", "green"))
    return table


def _broke(view: DemoView, lines: int) -> Table:
    told = [alert for alert in view.alerts if alert.state != "at_risk" and not alert.backfill]
    table = _table("What broke and why, newest first")
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for alert in told[: -lines - 1 : -1]:
        table.add_row(
            Text(clock_text(alert.at_ms)[11:19], "dim"),
            Text(alert.state, STATE_STYLES[alert.state]),
            safe(sentence(alert, READERS)),
        )
    if not told:
        table.add_row(Text(), Text(), Text("nothing so far", "green"))
    return table


def _foot(view: DemoView) -> Text:
    counters = view.counters
    dead = sum(counters.dead_letters.values())
    parts = [f"{counters.events:,} events", f"lag {counters.lag:,}", f"{dead:,} dead letters"]
    if counters.pages:
        parts.append(f"{sum(counters.pages.values()):,} pages to {', '.join(sorted(counters.pages))}")
    if counters.detection_delay_s is not None:
        parts.append(f"told {counters.detection_delay_s * 1000:.0f} ms after it happened")
    foot = Text.assemble(
        ("healthy" if view.healthy else "NOT HEALTHY", "green" if view.healthy else "bold red"),
        f"  {view.health}  " if view.health else "  ",
        " · ".join(parts),
        f"\n{addresses(view)}",
    )
    foot.no_wrap, foot.overflow = True, "ellipsis"
    return foot


def addresses(view: DemoView) -> str:
    """Return the addresses to open."""
    return "  ".join(f"{name} {address}" for name, address in view.addresses.items())


def safe(text: str, style: str = "") -> Text:
    """Return text that came from outside: without characters that could steer the terminal."""
    return Text("".join(one if one.isprintable() else "�" for one in text), style)


def _title(text: str, there: int, shown: int) -> str:
    return f"{text} ({shown} of {there})" if there > shown else text


def clock_text(instant_ms: int) -> str:
    """Return an instant to the second, in the reader's zone: ``2026-11-23 14:05:00 CET``."""
    return instant(instant_ms, READERS, seconds=True)


def who(alert: Alert) -> str:
    """Return the subject, or the series with its window, that an alert is about."""
    return f"{alert.key.kind} {alert.key.what}" if alert.key.kind not in OF_SERIES else alert.key.what.replace("|", " ")


def why(alert: Alert) -> str:
    """Return why something is at risk."""
    if alert.budget_ms and alert.elapsed_ms is not None:
        return f"{duration(alert.elapsed_ms)} of {duration(alert.budget_ms)} used"
    if alert.value is not None and alert.target is not None:
        unit = unit_of(alert.indicator)
        value, target = shown_apart(unit, alert.value, alert.target)
        return f"{value}, target {target}"
    return alert.reason.replace("_", " ")


def about(alert: Alert) -> str:
    """Return an alert's labels as a person reads them."""
    own = {"agreement", "promise", "objective", "measure", "metric", "indicator", "window", "subject"}
    return " ".join(value for name, value in alert.labels.items() if name not in own and value)
