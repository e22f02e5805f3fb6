"""The page of a ticket, a call, an outage or a lead: the explanation of its clocks, as pictures and as ledgers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.core.alerts.alert import Alert
from monitor.core.alerts.stretches import Stretch
from monitor.core.subjects.explanation import Explanation
from monitor.pages.site import Site
from monitor.pages.subjects import Explained, Subjects
from monitor.pages.viewers import View
from monitor.wire.wording import stretch, supporting_text, time_allowed, why

WIDTH: Final = 1000
_STANDINGS: Final = {"overdue": "breached", "running": "on_track", "paused": "on_track"}


class Bar(NamedTuple):
    """A stretch in the picture: where it is, its kind, and its words."""

    x: float
    width: float
    kind: str
    words: str


class Picture(NamedTuple):
    """The life of a clock as a picture of `WIDTH`: its stretches, and the instants that matter.

    ``late`` is the part after the due instant; None if it was in time. ``due`` is None without a due instant, ``now``
    if the clock has stopped.
    """

    bars: tuple[Bar, ...]
    due: float | None
    late: tuple[float, float] | None
    now: float | None
    now_ms: int


class Ledger(NamedTuple):
    """One stretch as a line: what it is, what of it counts, and the elapsed time up to its end."""

    part: Stretch
    words: str
    counted_ms: int
    total_ms: int


class Told(NamedTuple):
    """One clock, as the page shows it."""

    one: Explanation
    verdict: str
    why: str
    allowed: str
    picture: Picture
    ledger: tuple[Ledger, ...]
    shares: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    under: tuple[str, ...]
    zone: str

    @property
    def instants(self) -> list[tuple[str, int]]:
        """When it was or is due, and when it stopped or what time it is, in their order."""
        one, picture = self.one, self.picture
        end = ("stopped", one.stop_ms) if one.stop_ms is not None else ("now", picture.now_ms)
        due = [("due", one.due_ms)] if one.due_ms is not None else []
        return sorted([end, *due], key=lambda named: named[1])


def subject_routes(site: Site, subjects: Subjects) -> APIRouter:
    """Return the route of a subject."""
    router = APIRouter()

    @router.get("/subjects/{kind}/{subject_id:path}", response_class=HTMLResponse)
    async def subject(request: Request, kind: str, subject_id: str) -> HTMLResponse:
        """Explain why the clocks of a subject stand as they do."""
        view = site.view(request)
        known = await subjects.known(view, kind, subject_id)
        told = told_of(known.clocks, view.now_ms)
        return site.page(
            "subject.html", view, kind=kind, what=subject_id, told=told, alerts=known.alerts,
            facts=known.row.facts if known.row is not None else (), acks=view.acknowledgements(),
            out=view.out_ids(), width=WIDTH,
            attributes=known.row.known() if known.row is not None else {},
            zone=told[0].zone if told else _zone_of(view, known.alerts),
        )  # fmt: skip

    return router


def _zone_of(view: View, alerts: Sequence[Alert]) -> str:
    """Return the zone of the agreement of the first alert."""
    of = {one.key.agreement for one in alerts[:1]}
    return next((one.zone for one in view.overview().agreements if one.id in of), "UTC")


def told_of(clocks: Sequence[Explained], now_ms: int) -> list[Told]:
    """Return the clocks of a subject as its page shows them, the broken ones first."""
    found = [_told(one, now_ms) for one in clocks]
    return sorted(found, key=lambda told: (told.verdict != "breached", told.verdict != "at_risk"))


def _told(known: Explained, now_ms: int) -> Told:
    one, zone = known.one, known.zone
    return Told(
        one,
        _STANDINGS.get(one.standing, one.standing),
        why(one, zone),
        f"by its {one.due_at}" if one.due_at else time_allowed(one.target),
        picture_of(one, now_ms),
        ledger_of(one.stretches),
        _shares(one, known.parties),
        tuple(supporting_text(miss, zone) for miss in known.under),
        zone,
    )


def picture_of(one: Explanation, now_ms: int) -> Picture:
    """Return the life of a clock as a picture."""
    ends = [part.end_ms for part in one.stretches]
    is_open = one.stop_ms is None
    life_ms = max([one.start_ms, *ends, *([now_ms] if is_open else [one.stop_ms or 0])])
    to_ms = max(life_ms, one.due_ms if one.due_ms is not None and (is_open or one.due_ms <= life_ms) else life_ms)
    span = max(1, to_ms - one.start_ms)

    def x(at_ms: int) -> float:
        return min(WIDTH, max(0.0, (at_ms - one.start_ms) / span * WIDTH))

    bars = tuple(
        Bar(x(part.start_ms), max(1.0, x(part.end_ms) - x(part.start_ms)), part.kind, stretch(part))
        for part in one.stretches
    )
    due = x(one.due_ms) if one.due_ms is not None and one.due_ms <= to_ms else None
    is_late = one.standing in ("breached", "overdue") and due is not None and one.due_ms is not None
    late = (due, x(life_ms) - due) if is_late and due is not None and x(life_ms) > due else None
    return Picture(bars, due, late, x(now_ms) if is_open else None, now_ms)


def ledger_of(stretches: Sequence[Stretch]) -> tuple[Ledger, ...]:
    """Return the stretches as lines that add up."""
    total_ms, found = 0, []
    for part in stretches:
        counted_ms = part.end_ms - part.start_ms if part.kind == "counted" else 0
        total_ms += counted_ms
        found.append(Ledger(part, stretch(part), counted_ms, total_ms))
    return tuple(found)


def _shares(one: Explanation, parties: Mapping[str, int]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    of = one.contribution
    named = (("party", parties), ("team", of.teams), ("agent", of.agents), ("state", of.states), ("pause", of.reasons))
    return tuple(
        (name, tuple(sorted(shares.items(), key=lambda share: -share[1]))) for name, shares in named if len(shares) > 1
    )
