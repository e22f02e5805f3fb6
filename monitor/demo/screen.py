"""The live picture of a demonstration: what was promised, what is at risk, what broke and why."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.core.alerts import Alert
from monitor.core.figures import Verdict
from monitor.demo.view import UNITS, DemoView, Promise, at_risk, promises
from monitor.wire.wording import duration, instant, quantity
from monitor.wire.wording import summary as sentence

VERDICT_STYLES: Final[dict[Verdict, str]] = {
    "breached": "bold red",
    "at_risk": "yellow",
    "on_track": "green",
    "met": "green",
    "low_sample": "dim",
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
_FRAME: Final = 14
"""Lines that are always there: the head, the foot, titles and headings."""
_FEWEST: Final = 3


def render_screen(view: DemoView, height: int = DEFAULT_HEIGHT) -> RenderableType:
    """Return the picture of a moment, fitted into as many lines as the terminal has (but at least 23)."""
    wanted = promises(view)
    risks = at_risk(view)
    lines = max(3 * _FEWEST, height - _FRAME)
    for_risks = max(_FEWEST, min(len(risks), lines // 4))
    for_promises = max(_FEWEST, min(len(wanted), (lines - for_risks) * 3 // 5))
    for_alerts = max(_FEWEST, lines - for_risks - for_promises)
    return Group(
        _head(view),
        Text(),
        _promised(wanted, for_promises),
        Text(),
        _at_risk(risks, view.now_ms, for_risks),
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
    return Text.assemble(
        ("sla-monitor demo", "bold"),
        f"   {clock_text(view.now_ms)} in the simulated world, {view.speed:g} × real time",
        no_wrap=True,
        overflow="ellipsis",
    )


def _promised(wanted: list[Promise], lines: int) -> Table:
    table = _table(_title("What was promised, by its worst series", len(wanted), lines))
    for name in ("agreement", "promise", "target", "worst now", "where", "verdict"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for promise in _worst(wanted, lines):
        objective = promise.objective
        unit = UNITS.get(objective.indicator, "count")
        verdict, status = promise.verdict, promise.status
        if verdict is None or status is None:
            value, where, said = "–", "", Text("no_data", VERDICT_STYLES["no_data"])
        else:
            value = (
                "–" if verdict.value is None else f"{_exact(unit, verdict.value, verdict.target)} of {verdict.sample}"
            )
            where = " ".join((*filter(None, status.labels.values()), status.window))
            said = Text(verdict.verdict, VERDICT_STYLES[verdict.verdict])
            alike, total = promise.standing[verdict.verdict], sum(promise.standing.values())
            if total > 1:
                said.append(f"  {alike} of {total}", "dim")
        table.add_row(
            Text(promise.agreement.id, "dim"),
            Text(f"{objective.id}: {objective.indicator} of {objective.measure}"),
            Text(f"{objective.comparison} {quantity(unit, objective.target)}"),
            Text(value),
            Text(where),
            said,
        )
    return table


def _worst(wanted: list[Promise], lines: int) -> list[Promise]:
    """Return as many as fit, in their order; where not all fit, the worst ones."""
    ranks = {verdict: rank for rank, verdict in enumerate(VERDICT_STYLES)}
    by_rank = sorted(wanted, key=lambda one: ranks[one.verdict.verdict] if one.verdict else len(ranks))
    kept = {id(one) for one in by_rank[:lines]}
    return [one for one in wanted if id(one) in kept]


def _exact(unit: str, value: float, target: float) -> str:
    """Return a value with digits enough not to read as the target that it misses."""
    digits = 2
    while value != target and digits < 6 and quantity(unit, value, digits) == quantity(unit, target, digits):  # noqa: PLR2004
        digits += 1
    return quantity(unit, value, digits)


def _at_risk(risks: list[Alert], now_ms: int, lines: int) -> Table:
    table = _table(_title("What is at risk", len(risks), lines))
    for name in ("due in", "who", "promise", "why", "about"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for alert in risks[:lines]:
        countdown = duration(alert.due_ms - now_ms) if alert.due_ms >= 0 else "–"
        soon = 0 <= alert.due_ms < now_ms + 2 * 60_000
        table.add_row(
            Text(countdown, "bold red" if soon else "yellow"),
            Text(who(alert)),
            Text(alert.key.promise),
            Text(reason(alert)),
            Text(about(alert), "dim"),
        )
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
            Text(sentence(alert)),
        )
    if not told:
        table.add_row(Text(), Text(), Text("nothing so far", "green"))
    return table


def _foot(view: DemoView) -> Text:
    counters = view.counters
    dead = sum(counters.dead_letters.values())
    parts = [f"{counters.events:,} events", f"lag {counters.lag:,}", f"{dead:,} dead letters"]
    if counters.detection_delay_s is not None:
        parts.append(f"told {counters.detection_delay_s * 1000:.0f} ms after it happened")
    foot = Text.assemble(
        ("healthy" if view.healthy else "NOT HEALTHY", "green" if view.healthy else "bold red"),
        f"  {view.health}  " if view.health else "  ",
        " · ".join(parts),
        f"\n{addresses(view)}   Ctrl-C ends it",
    )
    foot.no_wrap, foot.overflow = True, "ellipsis"
    return foot


def addresses(view: DemoView) -> str:
    """Return what there is to open."""
    return "  ".join(f"{name} {address}" for name, address in view.addresses.items())


def _title(text: str, there: int, shown: int) -> str:
    return f"{text} ({shown} of {there})" if there > shown else text


def clock_text(instant_ms: int) -> str:
    """Return an instant to the second: ``2026-11-23 13:05:00 UTC``."""
    text = instant(instant_ms)
    return text if text.count(":") > 1 else text.replace(" UTC", ":00 UTC")


def who(alert: Alert) -> str:
    """Return the subject, or the series with its window, that an alert is about."""
    return f"{alert.key.kind} {alert.key.what}" if alert.key.kind != "objective" else alert.key.what.replace("|", " ")


def reason(alert: Alert) -> str:
    """Return why something is at risk."""
    if alert.budget_ms > 0 and alert.elapsed_ms >= 0:
        return f"{duration(alert.elapsed_ms)} of {duration(alert.budget_ms)} used"
    if alert.value is not None and alert.target is not None:
        unit = UNITS.get(alert.indicator, "count")
        return f"{_exact(unit, alert.value, alert.target)}, target {quantity(unit, alert.target)}"
    return alert.reason.replace("_", " ")


def about(alert: Alert) -> str:
    """Return an alert's labels as a person reads them."""
    own = {"agreement", "promise", "objective", "measure", "metric", "indicator", "window", "subject"}
    return " ".join(value for name, value in alert.labels.items() if name not in own and value)
