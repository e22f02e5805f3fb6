"""The results of a replay as tables and as JSON: each ratio with its numerator and denominator."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.replay.by_window import by_window, figure_cells
from monitor.replay.chosen import Chosen
from monitor.wire.announcements import stretches_json
from monitor.wire.outcomes import budget_data, consequence_data
from monitor.wire.times import READERS, instant
from monitor.wire.wording import of_number, plural

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.core.agreements.book import Book
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.replay.local import ReplayResult
    from monitor.replay.readers import Reading
    from monitor.replay.whole import WholeFigures

# What stands in the data goes into the table as Text: as a str, "[bold]" in it would be rich's markup.
EVERYTHING: Final = Chosen()
LISTED_REJECTIONS: Final = 20
"""Rejected rows that the table lists; the JSON has all of them."""
LISTED_ODD: Final = 5
"""Subjects that the text names whose events contradict each other; the JSON has all of them."""
LISTED_SERIES: Final = 12
"""Series of a measure that the table lists, the largest first; the JSON has all of them."""


def as_json(result: ReplayResult) -> dict[str, Any]:
    """Return the result as an object of plain values. Instants and durations are milliseconds (``_ms``).

    Every figure has its numerator, denominator, unit and formula, and stands in its window; ``all`` is the window of
    the whole of the data.
    """
    return {
        "from_ms": result.from_ms,
        "until_ms": result.until_ms,
        "step_ms": result.step_ms,
        "rows": None if result.reading is None else reading_json(result.reading),
        "events": {
            "folded": result.events,
            "repeats": result.repeats,
            "rejected": result.rejected_events,
            "too_late": result.too_late,
            "after_until": result.cut,
            "subjects": dict(result.subjects),
        },
        "figures": [_whole_json(one) for one in result.whole],
        "windows": [_status_json(one) for one in result.statuses],
        "statements": [_status_json(one) for one in result.statements],
        "alerts": {
            "counts": _alert_counts(result),
            **({"all": [_alert_json(one) for one in result.alerts]} if result.keeps_alerts else {}),
        },
        "clocks": result.verdicts,
    }


def write_json(result: ReplayResult, path: Path) -> None:
    """Write `as_json` to a file."""
    path.write_bytes(orjson.dumps(as_json(result), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_records(result: ReplayResult, path: Path) -> None:
    """Write one JSON line for each measured clock, then for each call and the measure that counts it."""
    with path.open("wb") as file:
        for one in chain((of.as_json() for of in result.records), (of.as_json() for of in result.calls)):
            file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))


def reading_json(reading: Reading) -> dict[str, Any]:
    """Return the rows by their fate, and the faults of the data."""
    return {
        "read": reading.rows,
        "filtered": reading.filtered,
        "doubled": reading.doubled,
        "without_event": reading.without_event,
        "rejected": {"counts": reading.reasons(), "all": [one._asdict() for one in reading.rejected]},
        "odd_subjects": {
            "counts": dict(Counter(one.what for one in reading.odd)),
            "all": [{**one._asdict(), "measured": one.is_measured} for one in reading.odd],
        },
        "warnings": reading.warnings,
    }


def _figure_json(figure: Figure) -> dict[str, Any]:
    return figure._asdict()


def _whole_json(whole: WholeFigures) -> dict[str, Any]:
    return {
        "agreement": whole.series.agreement,
        "measure": whole.series.measure,
        "labels": whole.labels,
        "total": whole.total,
        "window": "all",
        "from_ms": whole.from_ms,
        "to_ms": whole.to_ms,
        "figures": [_figure_json(one) for one in whole.figures],
        "live": whole.live,
    }


def _status_json(status: WindowStatus) -> dict[str, Any]:
    return {
        "agreement": status.series.agreement,
        "version": status.version,
        "measure": status.series.measure,
        "labels": status.labels,
        "window": status.window,
        "from_ms": status.from_ms,
        "to_ms": status.to_ms,
        "as_of_ms": status.as_of_ms,
        "closed": status.closed,
        "parts": status.parts,
        "figures": [_figure_json(one) for one in status.figures],
        "verdicts": [one._asdict() for one in status.verdicts],
        "live": status.live,
        "budgets": [msgspec.to_builtins(budget_data(one)) for one in status.budgets],
        "consequences": [msgspec.to_builtins(consequence_data(one)) for one in status.consequences],
    }


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {
        **alert._asdict(),
        "key": alert.key._asdict(),
        "details": dict(alert.details),
        "stretches": stretches_json(alert.stretches),
    }


def _alert_counts(result: ReplayResult) -> dict[str, dict[str, int]]:
    return {key: dict(sorted(of.items())) for key, of in sorted(result.alert_counts.items())}


def as_table(result: ReplayResult, book: Book | None = None, chosen: Chosen = EVERYTHING) -> RenderableType:
    """Return the result as tables for a terminal: of the chosen measures, and by the chosen windows.

    ``book`` tells the zones in which the periods of the windows are named; without it they are named in UTC.
    """
    parts: list[RenderableType] = [_summary(result)]
    if result.reading is not None and result.reading.rejected:
        parts.append(rejections_table(result.reading))
    parts.append(_figures([one for one in result.whole if chosen.has(one.series)], all_series=bool(chosen.of)))
    parts += [by_window(result, window, book, chosen) for window in chosen.windows]
    if result.statements or result.statuses:
        parts.append(_verdicts(result, chosen))
    if result.alert_counts:
        parts.append(_alerts(result))
    return Group(*parts)


def _summary(result: ReplayResult) -> Text:
    text = Text()
    if result.reading is not None:
        reading = result.reading
        text.append(f"{plural(reading.rows, 'row')} read, {fates(reading)}.\n")
    subjects = ", ".join(plural(count, subject) for subject, count in result.subjects.items()) or "no subjects"
    text.append(f"{plural(result.events, 'event')} of {subjects}")
    text.append(
        f", {instant(result.from_ms, READERS)} to {instant(result.until_ms, READERS)}.\n" if result.events else ".\n"
    )
    for count, what in (
        (result.cut, "events happened after the end that was asked for, and are left out"),
        (result.repeats, "events came twice"),
        (sum(result.rejected_events.values()), f"events were not taken: {result.rejected_events}"),
        (result.too_late, "corrections came too late for their pane"),
    ):
        if count:
            text.append(f"{count:,} {of_number(count, what)}.\n", style="yellow")
    for whole in result.whole:
        if whole.total and (most := max((one.lacking for one in whole.figures), default=0)):
            text.append(
                f"{plural(most, 'outage')} of {whole.series.measure} of unknown customers: no "
                "event holds customers_affected. Its figures of customers leave them out, and keep no promise.\n",
                style="yellow",
            )
    if result.reading is not None:
        for sentence in data_faults(result.reading):
            text.append(f"{sentence}\n", style="yellow")
    return text


def fates(reading: Reading) -> str:
    """Return how many rows were rejected, left out and without an event, in words."""
    doubled = f", {reading.doubled:,} doubled" if reading.doubled else ""
    return (
        f"{len(reading.rejected):,} rejected, {reading.filtered:,} left out{doubled}, "
        f"{reading.without_event:,} without an event"
    )


def data_faults(reading: Reading) -> list[str]:
    """Return a sentence for each kind of fault that was found in the data as a whole, and did not reject a row."""
    sentences: list[str] = []
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in reading.odd:
        fate = "" if one.is_measured else ", and is not measured"
        kinds.setdefault((one.subject, one.sentence + fate), []).append(one.subject_id)
    for (subject, sentence), ids in kinds.items():
        shown = ", ".join(ids[:LISTED_ODD]) + (", …" if len(ids) > LISTED_ODD else "")
        who = f"1 {subject}" if len(ids) == 1 else f"{len(ids):,} {subject}s: each"
        sentences.append(f"{who} {sentence}: {shown}.")
    return sentences + [f"warning: {one}." for one in reading.warnings]


def rejections_table(reading: Reading) -> Table:
    """Return the first rejected rows of each reason, each with its place and what stood there."""
    table = Table(title="Rejected rows", title_justify="left")
    for name in ("reason", "rows", "file:line", "what stood there"):
        table.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    room = max(1, LISTED_REJECTIONS // max(1, len(reading.reasons())))
    for reason, count in reading.reasons().items():
        own = [one for one in reading.rejected if one.reason == reason]
        for number, one in enumerate(own[:room]):
            first = (Text(reason), f"{count:,}") if not number else ("", "")
            table.add_row(*first, Text(f"{one.file}:{one.line}"), Text(one.detail))
        if count > room:
            table.add_row("", "", f"… and {count - room:,} more", "(all of them: --json)")
    return table


def _figures(whole: list[WholeFigures], *, all_series: bool) -> Table:
    table = Table(title="Figures over the whole of the data", title_justify="left")
    for name in ("measure", "series", "indicator", "value", "numerator", "denominator", "formula"):
        table.add_column(name, justify="right" if name in ("value", "numerator", "denominator") else "left")
    measures: dict[tuple[str, str], list[WholeFigures]] = {}
    for one in whole:
        measures.setdefault((one.series.agreement, one.series.measure), []).append(one)
    for (agreement, measure), all_of in measures.items():
        name = f"{agreement}/{measure}"
        largest = sorted(all_of, key=lambda one: (not one.total, -_size(one), one.series.values))
        listed = len(largest) if all_series else LISTED_SERIES
        for one in largest[:listed]:
            series = "all" if one.total else ", ".join(f"{key}={value}" for key, value in one.labels.items())
            for figure in one.figures:
                table.add_row(name, Text(series), figure.indicator, *figure_cells(figure))
                name = series = ""
            table.add_section()
        if len(largest) > listed:
            table.add_row("", f"… and {len(largest) - listed:,} more", "", "", "", "", "(all of them: --of, --json)")
            table.add_section()
    return table


def _size(whole: WholeFigures) -> float:
    return max((figure.denominator for figure in whole.figures), default=0.0)


def _verdicts(result: ReplayResult, chosen: Chosen) -> Table:
    """Return how often each objective was kept in closed periods, and how it stands in the windows at the end."""
    table = Table(title="Objectives", title_justify="left")
    for name in ("objective", "window", "closed periods", "at the end"):
        table.add_column(name)
    closed: dict[tuple[str, str], Counter[str]] = {}
    last: dict[tuple[str, str], Counter[str]] = {}
    for found, statuses in ((closed, result.statements), (last, result.statuses)):
        for status in (one for one in statuses if chosen.has(one.series)):
            for verdict in status.verdicts:
                key = (f"{status.series.agreement}/{verdict.objective}", status.window)
                found.setdefault(key, Counter())[verdict.verdict] += 1
    for key in sorted({*closed, *last}):
        table.add_row(*key, *(_counts(found.get(key, Counter())) for found in (closed, last)))
    return table


def _alerts(result: ReplayResult) -> Table:
    table = Table(title="Alerts", title_justify="left")
    table.add_column("promise")
    table.add_column("announced")
    for promise, counts in _alert_counts(result).items():
        table.add_row(promise, _counts(counts))
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
