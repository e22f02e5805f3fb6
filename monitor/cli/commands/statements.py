"""``sla-monitor statements``: the closed periods, with their evidence and consequences."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import STYLES, Output
from monitor.config.settings.settings import Settings
from monitor.core.objectives.consequence import MONEY
from monitor.core.time.periods import period_text
from monitor.core.time.windows import COHORT
from monitor.errors import DecodeError
from monitor.read_model.agreements import read_published, texts_of
from monitor.read_model.present import present_ms
from monitor.read_model.topics import read_all
from monitor.wire.announcements import decode_statement
from monitor.wire.instants import rfc3339
from monitor.wire.outcome_words import claim_left, follows, sample_text, value_and_target
from monitor.wire.outcomes import consequence_json
from monitor.wire.wording import plural

if TYPE_CHECKING:
    from monitor.core.objectives.status import WindowStatus


@click.command(
    epilog=example(
        "sla-monitor statements --agreement network-operator --window month",
        "sla-monitor statements --credits",
        "sla-monitor statements --json | jq .consequences",
    )
)
@click.option("--agreement", metavar="ID", help="Only of this agreement.")
@click.option("--window", metavar="NAME", help="Only of this window: day, week, month, quarter, year, tumbling-4h …")
@click.option("--credits", "only_credits", is_flag=True, help="Only what something follows from.")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest.")
@settings_option
@json_option
def statements(
    out: Output,
    settings: Settings,
    agreement: str | None,
    window: str | None,
    only_credits: bool,  # noqa: FBT001 - click's
    last: int,
) -> None:
    """List the statements of closed periods, the newest last: figures, verdicts, credits, damages and their claims.

    A credit is due by its tier, damages once, by the hour or by the case. "payable" is what is left under the
    agreement's caps. It must be claimed before its date: "left" counts down, also for a right to terminate at once.
    Periods are those of the agreement's zone. With --json each statement is one line, with numerator, denominator,
    formula and the agreement's version as evidence.
    """
    now_ms = asyncio.run(present_ms(settings))
    zones = {one.id: one.zone for one in texts_of(asyncio.run(read_published(settings)).documents.values())}
    stated = _stated(out, settings)
    found = [
        status
        for status in stated
        if agreement in (None, status.series.agreement)
        and window in (None, status.window, status.window.partition(COHORT)[0])
        and (status.consequences or not only_credits)
    ]
    rows: list[tuple[str | Text, ...]] = []
    for status in found[-last:]:
        out.record(**_record(status, now_ms))
        rows += _rows(status, zones.get(status.series.agreement, "UTC"), now_ms)
    if not found:
        out.say("No statements.")
        return
    columns = (
        "period",
        "window",
        "agreement",
        "objective",
        "for",
        "verdict",
        "value",
        "target",
        "of",
        "follows",
        "left",
    )
    out.table(columns, rows)
    out.say(f"{len(found[-last:])} of {plural(len(found), 'statement')}.", style="dim")


def _stated(out: Output, settings: Settings) -> list[WindowStatus]:
    stated: list[WindowStatus] = []
    for record in asyncio.run(read_all(settings, settings.topics.statements)):
        try:
            stated.append(decode_statement(record.value))
        except DecodeError as error:
            out.note(f"{record.topic}/{record.partition}/{record.offset} is none of ours: {error}")
    return sorted(stated, key=lambda one: (one.to_ms, one.series, one.window))


def _rows(status: WindowStatus, zone: str, now_ms: int) -> list[tuple[str | Text, ...]]:
    rows: list[tuple[str | Text, ...]] = []
    for verdict in status.verdicts:
        own = [one for one in status.consequences if one.objective == verdict.objective]
        rows.append((
            _period(status, zone),
            status.window,
            f"{status.series.agreement} v{status.version}",
            verdict.objective,
            " ".join(value for value in status.labels.values() if value),
            Text(verdict.verdict.replace("_", " "), STYLES.get(verdict.verdict, "")),
            *value_and_target(verdict),
            sample_text(status, verdict),
            Text("; ".join(follows(one) for one in own), "bold" if own else ""),
            "; ".join(claim_left(one, now_ms) for one in own if one.kind in MONEY or one.breach),
        ))  # fmt: skip
    return rows


def _period(status: WindowStatus, zone: str) -> str:
    """Return the period by its start; a part of one by its first and its last day, or the instants of its ends."""
    from_text = period_text(status.window, zone, status.from_ms)
    if status.parts == 1:
        return from_text
    return f"{from_text} to {period_text(status.window, zone, status.to_ms - 1)}"


def _record(status: WindowStatus, now_ms: int) -> dict[str, Any]:
    return {
        "agreement": status.series.agreement,
        "version": status.version,
        "measure": status.series.measure,
        "audience": list(status.audience),
        "details": dict(status.details),
        "labels": status.labels,
        "window": status.window,
        "from": rfc3339(status.from_ms),
        "to": rfc3339(status.to_ms),
        "from_ms": status.from_ms,
        "to_ms": status.to_ms,
        "parts": status.parts,
        "closed_ms": status.as_of_ms,
        "figures": [one._asdict() for one in status.figures],
        "verdicts": [one._asdict() for one in status.verdicts],
        "budgets": [one._asdict() for one in status.budgets],
        "consequences": [
            {
                **consequence_json(one),
                "claim_left_ms": max(0, one.claim_until_ms - now_ms) if one.claim_until_ms else None,
            }
            for one in status.consequences
        ],
    }
