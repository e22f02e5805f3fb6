"""Which indicators each kind of measure has, and their units."""

from __future__ import annotations

from typing import Final

INDICATORS: Final[dict[str, dict[str, str]]] = {
    "clock": {
        "compliance": "ratio",
        "mean": "ms",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "p99": "ms",
        "longest": "ms",
    },
    "call": {
        "SL1": "ratio",
        "SL2": "ratio",
        "SL3": "ratio",
        "SL4": "ratio",
        "SL5": "ratio",
        "SL6": "ratio",
        "asa": "ms",
        "abandonment": "ratio",
        "abandonment_net": "ratio",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "longest": "ms",
        "lost": "count",
        "aht": "ms",
        "talk": "ms",
        "hold": "ms",
        "wrap_up": "ms",
        "turnaround": "ms",
        "occupancy": "ratio",
        "fcr_flag": "ratio",
        "fcr_flag_net": "ratio",
        "fcr": "ratio",
        "fcr_net": "ratio",
        "fcr_provisional": "ratio",
        "fcr_pending": "count",
    },
    "outage": {
        "availability": "ratio",
        "downtime": "ms",
        "failures": "count",
        "mtbf": "ms",
        "mttr_acknowledge": "ms",
        "mttr_respond": "ms",
        "mttr_restore": "ms",
        "mttr_resolve": "ms",
        "coverage": "ratio",
        # of the customers, where the agreement counts them (IEEE 1366)
        "saidi": "ms",
        "saifi": "count",
        "caidi": "ms",
        "asai": "ratio",
        "maifi": "count",
        "saidi_net": "ms",
        "saifi_net": "count",
        "caidi_net": "ms",
        "major_event_days": "count",
    },
    "lead": {
        "follow_up": "ratio",
        "mean": "ms",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "longest": "ms",
        "depth": "count",
        "depth_kept": "ratio",
        **{f"depth_{n}": "count" for n in range(7)},
        "created": "count",
        "handed_over": "count",
        "attempted": "count",
        "contacted": "count",
        "qualified": "count",
        "disqualified": "count",
        "won": "count",
        "lost": "count",
        "customers": "count",
        "revenue": "amount",
        "delivered": "count",
        "close_rate": "ratio",
        "average_deal": "amount",
        "marketing_share": "ratio",
        "leads_needed": "count",
        "leads_needed_now": "count",
        "needed_to_date": "count",
        "pace": "ratio",
    },
}
"""The indicators of each kind of measure and their units. ``service_level`` in a file means the formula that binds."""
UNITS: Final = {name: unit for indicators in INDICATORS.values() for name, unit in indicators.items()}
"""The unit of each indicator: one that several kinds of measures have has the same in all of them."""
CUSTOMER_INDICATORS: Final = frozenset(
    {"saidi", "saifi", "caidi", "asai", "maifi", "saidi_net", "saifi_net", "caidi_net", "major_event_days"}
)
"""Those that an outage measure has only where the agreement counts customers."""
MAJOR_DAY_INDICATORS: Final = frozenset({"saidi_net", "saifi_net", "caidi_net", "major_event_days"})
"""Those of them that need a rule for major event days."""
COMPOSITE_INDICATORS: Final = frozenset({"availability", "downtime", "failures", "mtbf", "coverage"})
"""Those that the outages of a composite service have."""
