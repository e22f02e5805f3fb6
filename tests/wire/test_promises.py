"""The promises of an agreement as lines for people: what follows from a miss, beside what is promised."""

from __future__ import annotations

from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.wire.promises import promises_of

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"


def test_damages_and_rights_to_terminate_are_lines_of_their_own():
    (agreement,) = load_agreements(PROMISES / "damages.yaml").agreements

    lines = [
        (one.id, one.of, one.what) for one in promises_of(agreement) if one.of in ("damages", "right to terminate")
    ]

    assert lines == [
        ("available", "damages", "500.00 EUR"),
        ("available", "damages", "120.00 EUR for each hour beyond the target, at most 2000.00 EUR"),
        ("few-failures", "damages", "75.50 EUR for each case that misses it"),
        ("repaired-in-time", "damages", "20.00 EUR for each hour beyond the target"),
        ("available", "right to terminate", "after 3 misses in any 6"),
        ("available", "right to terminate", "at once after a blackout: below 95 %, to be used within 60 d"),
        ("few-failures", "right to terminate", "at once after too many failures: above 10"),
    ]


def test_hours_that_are_no_days_are_told_as_hours(tmp_path: Path):
    file = tmp_path / "damages.yaml"
    text = (PROMISES / "damages.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("within: 60d", "within: 36h"), encoding="utf-8")

    assert any(one.what.endswith("within 36 h") for one in promises_of(load_agreements(file).agreements[0]))


def test_what_is_promised_around_the_clock_is_told_in_days():
    """Ten days were told as 240 h, ninety as 2160 h."""
    (agreement,) = load_agreements(PROMISES / "leads.yaml").agreements

    told = ", ".join(one.what for one in promises_of(agreement) if one.of == "leads")

    assert "won within 90 d" in told
    assert "attempts within 10 d" in told
