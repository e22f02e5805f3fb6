"""Names that other people chose: they keep their figures and alerts apart, and come out as they went in."""

from __future__ import annotations

import pytest

from monitor.replay.local import run_replay
from monitor.wire.announcements import decode_alert, encode_alert
from tests.replay.desk import book, event

DESK = """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, at_risk: [], by: [customer], windows: [day]}
"""
ODD = [
    "a/b",
    "a%2Fb",
    'say "hi"',
    "it's",
    "a,b",
    "a|b",
    "☎️ Ümlaut 🚒",
    "-",
    "..",
    "a\\b",
    "[bold]",
    "{x}",
    "'; --",
    "n" * 200,
]


def test_odd_customers_keep_their_figures_apart():
    events = [
        event("ticket", f"T-{number}", kind, at, customer=name)
        for number, name in enumerate(ODD)
        for kind, at in (("opened", "09:00:00"), ("resolved", "11:00:00"))
    ]

    result = run_replay(events, book(DESK))

    breached = {one.labels["customer"]: one for one in result.alerts if one.state == "breached"}
    assert set(breached) == set(ODD)
    assert len({encode_alert(one, "test")[0] for one in breached.values()}) == len(ODD)
    figures = {one.labels.get("customer"): one.figures for one in result.statuses}
    for name in ODD:
        assert next(one for one in figures[name] if one.indicator == "compliance").denominator == 1


@pytest.mark.parametrize("subject_id", ODD)
def test_odd_ids_come_out_of_an_announcement_as_they_went_in(subject_id: str):
    (alert,) = [
        one for one in run_replay(
            [event("ticket", subject_id, "opened", "09:00:00", customer="x"),
             event("ticket", subject_id, "updated", "12:00:00")], book(DESK),
        ).alerts if one.state == "breached"
    ]  # fmt: skip

    key, value = encode_alert(alert, "test")

    assert decode_alert(value) == alert
    assert key.count(b"/") == 4
