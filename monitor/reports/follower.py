"""Writes the reports that are announced into a folder: ``FOLDER/AGREEMENT/PERIOD-RECEIVER[-CUSTOMER].FORM``.

A file that is there is never written again: a report may have been sent on. What makes a report again (a cohort, a late
statement) gets a file of its own, named after the instant. So the folder itself remembers what was done.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.time.units import SECOND_MS
from monitor.core.windows.reports import FinishedReport
from monitor.errors import DecodeError, ReportError
from monitor.read_model.topics import committed
from monitor.reports.contributions import add_contributions
from monitor.reports.forms import Form, write
from monitor.reports.model import Report, file_name, make_report
from monitor.reports.scope import Scope, names_of_customer, scope_of
from monitor.reports.topics import from_topics
from monitor.wire.finished_reports import decode_report
from monitor.wire.instants import rfc3339

if TYPE_CHECKING:
    from monitor.config.settings.settings import Settings
    from monitor.reports.sources import Sources


class Written(NamedTuple):
    """A report that was written for a receiver, as these files."""

    announced: FinishedReport
    report: Report
    files: tuple[Path, ...]


async def write_announced(
    settings: Settings,
    folder: Path,
    forms: Sequence[Form],
    tell: Callable[[str], None],
    *,
    follow: bool,
    looked: Callable[[], object] = lambda: None,
) -> AsyncIterator[Written]:
    """Write the reports whose files are missing, and yield them; with ``follow`` for ever, as they are announced.

    ``tell`` is called with a sentence about each announced report that cannot be made, ``looked`` after each look for
    announcements.

    Raises:
        ReportError: a file cannot be written.
        BrokerError: a topic does not exist, or Kafka does not answer.
    """
    waiting: dict[bytes, FinishedReport] = {}
    async with aclosing(committed(settings, [settings.topics.reports], follow=follow)) as lots:
        async for records in lots:
            looked()
            for record in records:
                try:
                    waiting[record.key or b""] = decode_report(record.value)
                except DecodeError as error:
                    tell(f"a record of {record.topic} announces no report: {error.reason}")
            if waiting and not records:  # all that was announced so far is known
                async for one in _written(settings, list(waiting.values()), folder, forms, tell):
                    yield one
                waiting.clear()
    async for one in _written(settings, list(waiting.values()), folder, forms, tell):
        yield one


async def _written(
    settings: Settings,
    announced: Sequence[FinishedReport],
    folder: Path,
    forms: Sequence[Form],
    tell: Callable[[str], None],
) -> AsyncIterator[Written]:
    """Write the missing files of announced reports, from one reading of the topics."""
    if not announced:
        return
    sources = await from_topics(settings, lambda *_: None)
    missing: list[tuple[FinishedReport, Scope, list[Path]]] = []
    for one in announced:
        try:
            for scope in scopes_of(sources, one):
                paths = [path for form in forms if not (path := path_of(folder, one, scope.customer, form)).exists()]
                if paths:
                    missing.append((one, scope, paths))
        except ReportError as error:
            tell(f"no report of {one.period} for {one.receiver}: {error}")
    await add_contributions(settings, sources, [scope for _, scope, _ in missing], lambda *_: None)
    for one, scope, paths in missing:
        yield await asyncio.to_thread(_write, sources, one, scope, paths)


def _write(sources: Sources, announced: FinishedReport, scope: Scope, paths: Sequence[Path]) -> Written:
    report = make_report(sources, scope)
    for path in paths:
        form: Form = path.suffix.removeprefix(".")  # type: ignore[assignment]  # `path_of` was given it
        _replace(path, write(report, form))
    return Written(announced, report, tuple(paths))


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: whoever watches the folder never sees a part of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ReportError(f"{path} cannot be written: {error.strerror or error}") from None


def path_of(folder: Path, announced: FinishedReport, customer: str, form: Form) -> Path:
    """Return the file of an announced report, for one customer or ("") for a receiver who is none."""
    again = "" if announced.reason == "closed" else rfc3339(announced.as_of_ms // SECOND_MS * SECOND_MS)
    again = "".join(one for one in again.partition(".")[0] if one.isalnum())
    name = file_name(announced.period, announced.receiver, customer, again)
    return folder / file_name(announced.agreement) / f"{name}.{form}"


def scopes_of(sources: Sources, announced: FinishedReport) -> Iterator[Scope]:
    """Yield the scopes of the reports that a receiver gets: one, or for the customer's side one for each customer.

    A customer's side whose statements are not split by customer gets one under the agreement's own customer.

    Raises:
        ReportError: there is no agreement or period like that any more, or the receiver has no right to any of it.
    """
    readers = frozenset({announced.receiver})
    whole = scope_of(sources, announced.agreement, announced.period, readers=readers)
    if announced.receiver not in names_of_customer(whole.agreement):
        yield whole
        return
    seen = [one for one in sources.statements if whole.has(one) and whole.period.holds(one.from_ms)]
    customers = sorted({name for one in seen if (name := one.labels.get("customer"))})
    for customer in customers or [whole.agreement.customer]:
        yield scope_of(sources, announced.agreement, announced.period, customer, readers)
