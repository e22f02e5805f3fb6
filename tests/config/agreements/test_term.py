"""The ``term:`` of agreement files: dates that make sense together."""

from pathlib import Path

import pytest

from monitor.config.agreements.checking import check_agreements
from monitor.core.agreements.term import Length

PROMISE = Path(__file__).parents[3] / "deploy" / "promises" / "term.yaml"
LENGTH_HINT = "write 12 months, 1 year, 90 days"


def written(tmp_path, *changes):
    text = PROMISE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "term.yaml"
    file.write_text(text, encoding="utf-8")
    return check_agreements(file)


def test_a_term_is_read_and_ends_the_agreement(tmp_path):
    (document,) = written(tmp_path).documents
    found = document.agreement
    assert (found.term.notice, found.term.renews, found.term.warn) == (
        Length(months=3), Length(months=12), Length(days=60),
    )  # fmt: skip
    assert found.terminates_ms == found.term.ends_ms


def test_a_termination_before_the_end_of_the_term_holds(tmp_path):
    (document,) = written(tmp_path, ("\nterm:", "terminates: 2026-03-01\n\nterm:")).documents
    assert document.agreement.terminates_ms < document.agreement.term.ends_ms


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("end: 2027-01-15", "end: 2024-01-15", "term.end: is not after start"),
        ("start: 2024-01-15", "start: 2024-02-01", "term.start: is after valid_from"),
        ("notice: 3 months", "notice: 4 years", "term.notice: is not shorter than the term"),
        ("renews: 12 months", "renews: monthly", f"term.renews: is no length of a term: 'monthly' ({LENGTH_HINT})"),
        ("renews: 12 months", "renews: 0 days", "term.renews: is no length of a term"),
        ("\nterm:", "terminates: 2028-03-01\n\nterm:", "terminates: is after the end of the term"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, old, new, message):
    (mistake,) = written(tmp_path, (old, new)).mistakes
    assert message in str(mistake)


def test_a_notice_that_ends_nothing_is_warned_of(tmp_path):
    (warning,) = written(
        tmp_path, ("renews: 12 months", "warn: 60 days"), ("  warn: 60 days              #", "  #")
    ).warnings
    assert "term: ends without a notice" in str(warning)
