"""The sentence that tells why a clock stands as it does, and the words of targets and stretches."""

from __future__ import annotations

import pytest

from monitor.core.agreements.agreement import Origin
from monitor.core.agreements.measures import Budget
from monitor.core.alerts.stretches import Stretch
from monitor.core.subjects.contribution import Contribution
from monitor.core.subjects.explanation import Explanation
from monitor.wire.wording import stretch, time_allowed, why

HOUR = 3_600_000
START = 1_767_603_600_000  # 2026-01-05T09:00:00Z


def clock(standing, elapsed_h, due_ms=None, paused_h=0, reason="customer"):
    parts = (Stretch(START, START + 1, "counted"), Stretch(START + 1, START + 1 + paused_h * HOUR, "paused", reason))
    return Explanation(
        "desk", 1, "resolution", "resolution", 1, "P1", "P1", 4 * HOUR, "office", START, None, due_ms, elapsed_h * HOUR,
        0, standing, False, parts[: 1 + bool(paused_h)], Origin("desk", 1, ""),
        Contribution(elapsed_h * HOUR, {}, {}, {}, {}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            clock("running", 1, START + 4 * HOUR),
            "on track: 3 h are left, 1 h of 4 h have elapsed, due 2026-01-05 13:00 UTC",
        ),
        (
            clock("at_risk", 3, START + 6 * HOUR, 2),
            "at risk: 1 h are left, 3 h of 4 h have elapsed, 2 h of pauses not counted, due 2026-01-05 15:00 UTC",
        ),
        (
            clock("paused", 1, paused_h=2),
            "on track, and paused (customer): 3 h are left, 1 h of 4 h have elapsed, 2 h of pauses not counted",
        ),
        (
            clock("paused", 1, paused_h=2, reason=""),
            "on track, and paused: 3 h are left, 1 h of 4 h have elapsed, 2 h of pauses not counted",
        ),
        (clock("met", 1), "met: it was stopped with 3 h left, 1 h of 4 h have elapsed"),
        (
            clock("breached", 5, START + 4 * HOUR),
            "breached: it was stopped 1 h beyond its target, 5 h of 4 h have elapsed, it was due 2026-01-05 13:00 UTC",
        ),
        (
            clock("breached", 4, START + 4 * HOUR),
            "breached: it was stopped after its due instant, 4 h of 4 h have elapsed, it was due {}",
        ),
        (
            clock("overdue", 5, START + 4 * HOUR),
            "breached: it still runs 1 h beyond its target, 5 h of 4 h have elapsed, it was due 2026-01-05 13:00 UTC",
        ),
        (clock("overdue", 5), "breached: it is open 1 h beyond its target, 5 h of 4 h have elapsed"),
        (clock("met", 4), "met: it was stopped at the very end of its target, 4 h of 4 h have elapsed"),
        (
            clock("breached", 4, START + 4 * HOUR)._replace(strict=True),
            "breached: it was stopped at the very end of its target, 4 h of 4 h have elapsed, it was due {}",
        ),
        (
            clock("undated", 4)._replace(due_at="due_at"),
            "it has no due instant, so it is neither met nor breached: no event brings due_at",
        ),
        (clock("cancelled", 1), "it was cancelled and counts nowhere, 1 h of 4 h have elapsed"),
    ],
)
def test_the_sentence_says_why(one, sentence):
    assert why(one) == sentence.format("2026-01-05 13:00 UTC")


def test_targets_and_stretches_are_told_in_the_agreement_s_words():
    assert time_allowed(Budget(90 * 60_000, "office")) == "1 h 30 min"
    assert time_allowed(Budget(0, "office", 1, 720)) == "1 business day by 12:00"
    assert time_allowed(Budget(0, "office", 3, 1020)) == "3 business days by 17:00"
    assert stretch(Stretch(0, 1, "counted")) == "open"
    assert stretch(Stretch(0, 1, "paused", "customer")) == "paused: customer"
    assert stretch(Stretch(0, 1, "holiday", "Epiphany")) == "holiday: Epiphany"
