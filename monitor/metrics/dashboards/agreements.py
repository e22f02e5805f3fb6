"""The dashboard of agreements: with whom they are, which level each part is from, whether they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Heading, Row, Variable, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    EACH_MINUTE,
    ORANGE,
    RED,
    Json,
    Query,
    lines,
    stat,
    to_list,
)
from monitor.metrics.dashboards.promql import Scope, age_of, total
from monitor.metrics.dashboards.scopes import window_of
from monitor.metrics.dashboards.states import MOST_ROWS, timeline
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table
from monitor.metrics.declaring import CODES

if TYPE_CHECKING:
    from monitor.core.objectives.status import Verdict
    from monitor.metrics.declaring import Metric

_SCOPE: Final = Scope(("agreement",))
_VERDICTS: Final = Scope(("agreement",), {}, "verdict_window")
_IN_FORCE: Final = _SCOPE.of(m.AGREEMENT_IN_FORCE)
_LIST: Final = "Objectives of each agreement"
_INFO: Final = (
    "agreement",
    "name",
    "kind",
    "status",
    "level",
    "under",
    "service",
    "binding",
    "version",
)
_KEPT: Final[tuple[Verdict, ...]] = ("met", "on_track")


def agreements() -> Json:
    """Return the dashboard."""
    text = "Only what these agreements promise"
    return dashboard(
        "sla-agreements",
        "SLA · Agreements",
        "What is agreed with whom, which level says what, is it kept, and who stands behind it?",
        [
            Variable("agreement", "Agreement", text, Scope().of(m.AGREEMENT_INFO), "agreement"),
            window_of(_VERDICTS, m.OBJECTIVE_CODE, "24h"),
        ],
        [
            Row(
                4,
                [
                    (4, _in_force()),
                    (4, _breached()),
                    (4, _at_risk()),
                    (4, _missed()),
                    (4, _incomplete()),
                    (4, _undated()),
                ],
            ),
            Heading("Kept", "Which agreements are kept."),
            Row(10, [(10, _kept()), (14, _verdicts())]),
            Heading("What is agreed", "Versions, terms, levels, parties and services."),
            Row(8, [(24, _agreements())]),
            Row(6, [(7, _terms()), (8, _reports()), (9, _origins())]),
            Row(7, [(12, _parties()), (12, _details())]),
            Heading("Who stands behind it", "Teams and suppliers whose own agreements support these."),
            Row(6, [(14, _supporting()), (10, _missed_over_time())]),
        ],
    )


def _number(*verdicts: Verdict) -> str:
    """Return how many objectives of each agreement have one of these as their most urgent verdict."""
    each = f"max by (agreement, objective) ({_SCOPE.of(m.OBJECTIVE_CODE)})"
    return " + ".join(f"sum by (agreement) ({each} == bool {CODES[one]})" for one in verdicts)


def _in_force() -> Json:
    text = "Versions that bind now: accepted, begun, and not over."
    query = Query(f"sum(max by (agreement, version) ({_IN_FORCE}))")
    return stat("In force", text, query, to=to_list("Agreements"))


def _breached() -> Json:
    text = "Objectives whose figure misses its target now, in at least one of their series and windows."
    query = Query(_SCOPE.objectives("breached"))
    return stat("Objectives breached", text, query, thresholds=ANY_IS_BAD, to=to_list(_LIST))


def _at_risk() -> Json:
    text = "Objectives that keep their target but passed the threshold at which the agreement wants a warning."
    query = Query(_SCOPE.objectives("at_risk"))
    return stat("Objectives at risk", text, query, thresholds=ANY_IS_WARNING, to=to_list(_LIST))


def _lately(summed: str) -> str:
    """Return the breaches of the last day under which a supporting agreement had missed its own target."""
    return f"round({summed} (increase({_SCOPE.of(m.SUPPORTING_BREACHES)}[1d])))"


def _missed() -> Json:
    text = "Breaches under which a supporting agreement (OLA, UC) had missed its own target, in the last day."
    return stat(
        "Supporting missed", text, Query(_lately("sum")), thresholds=ANY_IS_WARNING,
        to=to_list("Supporting agreements"), none="Nobody stands behind",
    )  # fmt: skip


def _incomplete() -> Json:
    text = "Clocks, started or waiting, of open tickets whose report lacks fields that the agreement requires."
    return stat("Incomplete reports", text, Query(total(_SCOPE.of(m.CLOCKS_INCOMPLETE))), thresholds=ANY_IS_WARNING)


def _undated() -> Json:
    text = "Open clocks that take their due instant from the record, and whose events bring none: nobody judges them."
    return stat("No due instant", text, Query(total(_SCOPE.of(m.CLOCKS_UNDATED))), thresholds=ANY_IS_WARNING)


def _agreements() -> Json:
    text = (
        "Each version that the monitor knows. Only the one in force binds; a lower level stands under the next one up, "
        "and supporting agreements (ola: own teams, uc: suppliers) stand behind the others."
    )
    info = f"max by ({', '.join(_INFO)}) ({_SCOPE.of(m.AGREEMENT_INFO)})"
    binding = f"max by (agreement, version) ({_IN_FORCE})"
    return table(
        "Agreements",
        text,
        [Query(f"{info} * on (agreement, version) group_left () ({binding})")],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL], width=160),
            Column("Name", label="name"),
            Column("Kind", label="kind", width=70),
            Column("Status", label="status", width=85),
            Column("Level", label="level", width=90),
            Column("Under", label="under", width=130),
            Column("Service", label="service"),
            Column("Binding", label="binding", width=95),
            Column("Version", label="version", width=80),
            Column("In force", value="A", unit=COUNT, width=104),
        ],
        sort=["In force"],
    )


def _kept() -> Json:
    text = "How many objectives are kept, at risk and breached now, by the most urgent of all their series and windows."
    return table(
        _LIST,
        text,
        [
            Query(_number(*_KEPT), ref="K"),
            Query(_number("at_risk"), ref="R"),
            Query(_number("breached"), ref="B"),
        ],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Breached", value="B", unit=COUNT, danger=RED, width=115),
            Column("At risk", value="R", unit=COUNT, danger=ORANGE, width=95),
            Column("Kept", value="K", unit=COUNT, width=75),
        ],
        sort=["Breached", "At risk"],
    )


def _terms() -> Json:
    text = (
        "Days until an agreement in force ends, or its running term where it is renewed, and until the last instant at "
        "which notice can be given; below zero it was not given in time."
    )
    instants = [f"max by (agreement) ({_SCOPE.of(one)})" for one in (m.AGREEMENT_END, m.AGREEMENT_NOTICE)]
    left = [f"-({age_of(one)}) / 86400" for one in instants]
    return table(
        "Terms",
        text,
        [Query(left[0], ref="E"), Query(left[1], ref="N")],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Days left", value="E", unit=COUNT, decimals=0, width=112),
            Column("To notice", value="N", unit=COUNT, decimals=0, width=100),
        ],
        sort=["Days left"],
        rising=True,
    )


def _verdicts() -> Json:
    text = (
        "The most urgent verdict on each agreement over time, of all its objectives and series, in the chosen window; "
        f"an agreement without that window in its own ones. The {MOST_ROWS} agreements with the most urgent ones now."
    )
    urgent = f"topk({MOST_ROWS}, {_VERDICTS.at_end().verdicts('agreement')})"
    query = f"({_VERDICTS.verdicts('agreement')}) and on (agreement) {urgent}"
    return timeline("Verdicts", text, Query(query, "{{agreement}}"))


def _origins() -> Json:
    text = (
        "How many measures, targets and objectives of an agreement each level says: its own text, or one above it. "
        "`sla-monitor check` tells which."
    )
    query = f"max by (agreement, origin, level) ({_SCOPE.of(m.AGREEMENT_PARTS)})"
    return table(
        "Who says what",
        text,
        [Query(query)],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Said by", label="origin"),
            Column("Level", label="level", width=90),
            Column("Parts", value="A", unit=COUNT, width=75),
        ],
        sort=["Agreement"],
        rising=True,
    )


def _supporting() -> Json:
    text = (
        "Who stands behind an agreement, and how often that one was breached while its supporter had missed its own "
        "target on the same ticket, in the last day."
    )
    query = _lately("sum by (agreement, supporting)")
    return table(
        "Supporting agreements",
        text,
        [Query(query)],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Supported by", label="supporting", links=[AGREEMENT_CELL]),
            Column("Missed under a breach", value="A", unit=COUNT, danger=ORANGE, width=220),
        ],
        sort=["Missed under a breach"],
    )


def _binding(metric: Metric, *names: str) -> str:
    """Return the query of what the versions in force say, by these labels."""
    said = f"max by (agreement, version, {', '.join(names)}) ({_SCOPE.of(metric)})"
    binding = f"max by (agreement, version) ({_IN_FORCE}) == 1"
    return f"max by (agreement, {', '.join(names)}) ({said} * on (agreement, version) group_left () ({binding}))"


def _parties() -> Json:
    text = "Who takes part in each agreement in force, and as what. `sla-monitor agreements show` tells who does what."
    return table(
        "Parties",
        text,
        [Query(_binding(m.AGREEMENT_PARTY, "party", "role"))],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Party", label="party"),
            Column("Role", label="role"),
        ],
        sort=["Agreement"],
        rising=True,
    )


def _details() -> Json:
    text = "The details of the services of agreements in force, as they name them."
    return table(
        "Services in detail",
        text,
        [Query(_binding(m.AGREEMENT_DETAIL, "detail", "value"))],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("Detail", label="detail"),
            Column("As agreed", label="value"),
        ],
        sort=["Agreement"],
        rising=True,
    )


def _reports() -> Json:
    text = "Days until the next report of statistics is due to those who may see it."
    due = f"min by (agreement, every, to) ({_SCOPE.of(m.AGREEMENT_REPORT_DUE)})"
    return table(
        "Reports",
        text,
        [Query(f"-({age_of(due)}) / 86400")],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("For", label="to"),
            Column("Every", label="every", width=70),
            Column("Days left", value="A", unit=COUNT, decimals=0, width=112),
        ],
        sort=["Days left"],
        rising=True,
    )


def _missed_over_time() -> Json:
    text = "Breaches under which each supporting agreement had missed its own target."
    query = f"sum by (supporting) (increase({_SCOPE.of(m.SUPPORTING_BREACHES)}[$__rate_interval]))"
    panel = lines("Missed under breaches", text, [Query(query, "{{supporting}}")], COUNT, stacked=True, linked=False)
    return panel | EACH_MINUTE
