"""The figures of calls in a window, from the sums of its panes (domain.md §4)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import INDICATORS
from monitor.core.calls.handling import THOUSANDTHS
from monitor.core.calls.repeats import NO_TALLY
from monitor.core.series.durations import duration_figures
from monitor.core.series.figures import Figure, Share, quotient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.core.agreements.measures import CallRule
    from monitor.core.calls.repeats import Tally
    from monitor.core.series.series import Pane


_PERCENTILES: Final = frozenset(name for name, one in INDICATORS["call"].items() if one.sample == "durations")
_CONVERSATION: Final = frozenset({
    "aht", "talk", "hold", "wrap_up", "turnaround", "occupancy", "satisfaction", "fcr_flag", "fcr_flag_net",
    *(name for name, one in INDICATORS["call"].items() if one.needs == "repeats"),
})  # fmt: skip
"""The names of `conversation_figures`."""

_ALL: Final[Share] = {"answered": (0, 1), "abandoned": (0, 1), "waiting_beyond": (0, 1)}
SHARES: Final[Mapping[str, Share]] = {
    "SL1": _ALL | {"answered_within": (1, 0), "abandoned_within": (1, 0)},
    "SL2": {"answered": (0, 1), "waiting_beyond": (0, 1), "answered_within": (1, 0)},
    "SL3": _ALL | {"answered_within": (1, 0)},
    "SL4": _ALL | {"answered_within": (1, 0), "abandoned_within": (0, -1)},
    "SL5": _ALL | {"answered_within": (1, 0), "abandoned_short": (1, 0)},
    "SL6": _ALL | {"answered_within": (1, 0), "abandoned_short": (0, -1)},
    "abandonment": {"abandoned": (1, 1), "answered": (0, 1), "callback": (0, 1), "transferred": (0, 1)},
    "fcr_flag": {"flag_resolved": (1, 0), "flag_told": (0, 1)},
    "fcr_flag_net": {"flag_resolved_net": (1, 0), "flag_told_net": (0, 1)},
}
"""By indicator: how often each count is in the numerator and in the denominator of the share."""


def call_figures(
    rule: CallRule,
    pane: Pane,
    tally: Tally = NO_TALLY,
    targets: Sequence[int] = (),
    wanted: frozenset[str] | None = None,
) -> tuple[Figure, ...]:
    """Return the figures of a call measure (domain.md §4).

    All six service levels come from one set of counters. A call that still waits beyond T is a miss already, so it is
    in every denominator. Lost calls are in no service level; they have a figure of their own. The denominator
    "offered" of the abandonment rate holds all calls with an outcome, so also flow-outs and callbacks, which were
    offered and not abandoned.

    Args:
        rule: gives T and s to the formulas' texts.
        pane: the sum of the window's panes: calls that were queued in it.
        tally: the counts of repeat calls among the calls that were queued in the window.
        targets: the durations that percentiles are compared with (`monitor.core.series.durations.targets_of`).
        wanted: the indicators that are wanted, where others may be missing; None: all.
    """
    count = pane.counts.get
    ans, ans_in = count("answered", 0), count("answered_within", 0)
    ab, ab_in, ab_short = count("abandoned", 0), count("abandoned_within", 0), count("abandoned_short", 0)
    beyond = count("waiting_beyond", 0)
    offered = ans + ab + count("callback", 0) + count("transferred", 0)
    lost = count("lost", 0)
    queued = offered + beyond + lost
    text = _call_formulas(rule.answer_within_ms, rule.short_abandon_ms)
    return (
        quotient("SL1", ans_in + ab_in, ans + ab + beyond, "ratio", text["SL1"]),
        quotient("SL2", ans_in, ans + beyond, "ratio", text["SL2"]),
        quotient("SL3", ans_in, ans + ab + beyond, "ratio", text["SL3"]),
        quotient("SL4", ans_in, ans + ab - ab_in + beyond, "ratio", text["SL4"]),
        quotient("SL5", ans_in + ab_short, ans + ab + beyond, "ratio", text["SL5"]),
        quotient("SL6", ans_in, ans + ab - ab_short + beyond, "ratio", text["SL6"]),
        quotient("asa", count("wait_ms", 0), ans, "ms", "sum of waits of answered calls / ans"),
        quotient("abandonment", ab, offered, "ratio", text["abandonment"]),
        quotient("abandonment_net", ab - ab_short, offered - ab_short, "ratio", text["abandonment_net"]),
        *(duration_figures("call", pane, "waits of answered calls", targets) if _wants(wanted, _PERCENTILES) else ()),
        Figure("lost", float(lost) if queued else None, lost, queued, "count", "calls whose end was never told"),
        *(conversation_figures(count, tally) if _wants(wanted, _CONVERSATION) else ()),
    )


def _wants(wanted: frozenset[str] | None, names: frozenset[str]) -> bool:
    return wanted is None or not wanted.isdisjoint(names)


@lru_cache(maxsize=256)
def _call_formulas(within_ms: int, short_ms: int) -> dict[str, str]:
    """Return the formulas' texts with T and s filled in. "ans_T" is answered within T, "ab_s" abandoned within s."""
    t, both = f"T = {within_ms / 1000:g} s", f"T = {within_ms / 1000:g} s, s = {short_ms / 1000:g} s"
    return {
        "SL1": f"SL1: (ans_T + ab_T) / (ans + ab + waiting>T), {t}",
        "SL2": f"SL2: ans_T / (ans + waiting>T), {t}",
        "SL3": f"SL3: ans_T / (ans + ab + waiting>T), {t}",
        "SL4": f"SL4: ans_T / (ans + ab>T + waiting>T), {t}",
        "SL5": f"SL5: (ans_T + ab_s) / (ans + ab + waiting>T), {both}",
        "SL6": f"SL6: ans_T / (ans + ab - ab_s + waiting>T), {both}",
        "abandonment": "ab / (ans + ab + callback + flow-out)",
        "abandonment_net": f"(ab - ab_s) / (ans + ab - ab_s + callback + flow-out), s = {short_ms / 1000:g} s",
    }


def conversation_figures(count: Callable[[str, int], int], tally: Tally) -> tuple[Figure, ...]:
    """Return the figures of handled calls.

    Args:
        count: returns a count of the window's panes by its name; the second argument is the default.
        tally: the counts of repeat calls (`monitor.core.calls.repeats`).
    """
    handled = count("handled", 0)
    talk, hold, wrap = count("talk_ms", 0), count("hold_ms", 0), count("wrap_up_ms", 0)
    busy = count("busy_ms", 0)
    return (
        quotient("aht", talk + hold + wrap, handled, "ms", "(talk + hold + wrap-up) / handled"),
        quotient("talk", talk, handled, "ms", "talk / handled"),
        quotient("hold", hold, handled, "ms", "hold / handled"),
        quotient("wrap_up", wrap, handled, "ms", "wrap-up / handled"),
        quotient("turnaround", count("turnaround_ms", 0), handled, "ms", "sum of (ended - queued) / handled"),
        quotient(
            "occupancy", busy, busy + count("idle_ms", 0), "ratio", "handle time / (handle time + available time)",
        ),
        quotient(
            "satisfaction", count("score", 0) / THOUSANDTHS, count("scored", 0), "count", "sum of scores / calls scored"
        ),
        quotient("fcr_flag", count("flag_resolved", 0), count("flag_told", 0), "ratio", "resolved / flag told"),
        quotient(
            "fcr_flag_net", count("flag_resolved_net", 0), count("flag_told_net", 0), "ratio",
            "resolved / flag told, without calls transferred after the answer",
        ),
        quotient("fcr", tally.first, tally.confirmed, "ratio", "no repeat call within W / handled, ended W ago"),
        quotient(
            "fcr_net", tally.first_net, tally.confirmed_net, "ratio",
            "no repeat call within W / handled, ended W ago, without calls transferred after the answer",
        ),
        quotient("fcr_provisional", tally.unrepeated, tally.handled, "ratio", "no repeat call so far / handled"),
        Figure(
            "fcr_pending", float(tally.handled - tally.confirmed) if tally.handled else None,
            tally.handled - tally.confirmed, tally.handled, "count", "handled calls that ended less than W ago",
        ),
    )  # fmt: skip
