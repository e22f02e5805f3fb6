"""Levels that are equally specific and bind the same subjects are warned of: who wins is no accident."""

import pytest

from monitor.config.agreements.checking import book_of, check_agreements, parse_document
from monitor.config.agreements.effective import effective_text
from monitor.core.agreements.agreement import Origin
from monitor.core.agreements.overlap import overlaps
from tests.config.agreements.test_levels import TEXT
from tests.core.agreements.test_levels import ACME, AMENDED, CORPORATE, PAYROLL
from tests.core.stories import ms

OTHER = ACME | {"agreement": "zeta", "clocks": [{"id": "solve", "targets": {"P1": "3h"}}]}


def found(*documents):
    book = book_of([parse_document(one) for one in documents])
    return [(one.winner.id, one.winner.version, one.loser.id, one.loser.version, one.shared) for one in
            overlaps(book.agreements)]  # fmt: skip


def test_two_levels_for_the_same_customer_overlap_and_the_first_id_wins_as_it_binds():
    book = book_of([parse_document(one) for one in (CORPORATE, ACME, OTHER)])
    (one,) = overlaps(book.agreements)

    assert (one.winner.id, one.loser.id, one.shared) == ("acme", "zeta", {"customer": frozenset({"acme"})})
    assert [one.id for one in book.in_force({"customer": "acme"}, ms("Mon 09:00"))] == [one.winner.id]


@pytest.mark.parametrize(
    "other",
    [
        OTHER | {"covers": {"customer": "other"}},
        OTHER | {"status": "draft"},
        OTHER | {"terminates": "2020-01-02", "valid_from": "2019-12-01"} | {"status": "draft"},
        PAYROLL,
    ],
    ids=["of another customer", "a draft", "a draft that is over", "a level below"],
)
def test_what_never_binds_the_same_subject_does_not_overlap(other):
    assert found(CORPORATE, ACME, other) == []


def test_one_after_the_other_is_no_overlap():
    ended = ACME | {"terminates": "2026-03-01"}
    assert found(CORPORATE, ended, OTHER | {"valid_from": "2026-03-01"}) == []
    assert found(CORPORATE, ACME | {"valid_from": "2026-03-01"}, OTHER | {"terminates": "2026-03-01"}) == []
    assert len(found(CORPORATE, ended, OTHER | {"valid_from": "2026-02-28"})) == 1


def test_an_amendment_that_no_longer_covers_it_ends_the_overlap_and_editions_are_told_once():
    second = OTHER | {"version": 2, "valid_from": "2026-03-01", "covers": {"customer": "else"}}
    assert [one[:4] for one in found(CORPORATE, AMENDED, ACME, OTHER, second)] == [("acme", 1, "zeta", 1)]


def test_different_attributes_overlap_where_both_hold():
    other = OTHER | {"covers": {"service": "payroll"}}
    ((*_, shared),) = found(CORPORATE, ACME, other)
    assert shared == {"customer": frozenset({"acme"}), "service": frozenset({"payroll"})}


def test_the_warning_names_both_files_and_lines_and_says_who_wins(tmp_path):
    path = tmp_path / "levels.yaml"
    path.write_text(TEXT, encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(TEXT.split("---\n")[1].replace("agreement: acme", "agreement: zeta"), encoding="utf-8")

    checked = check_agreements(tmp_path)

    assert checked.mistakes == ()
    (warning,) = [str(one) for one in checked.warnings]
    assert warning.startswith(f"{other}:14: covers: zeta version 1 and acme version 1 ({path}:32) bind the same")
    assert "acme wins, since its id comes first" in warning


def test_each_value_of_an_effective_text_is_of_the_lowest_level_that_names_it():
    documents = [parse_document(one) for one in (CORPORATE, AMENDED, ACME, PAYROLL)]
    book = book_of(documents)
    corp, amended = Origin("corp", 1, "corporate"), Origin("corp", 2, "corporate")
    acme, payroll = Origin("acme", 1, "customer"), Origin("payroll", 1, "service")

    def said(time):
        found = book.version("payroll", ms(time))
        return {one.path: (one.value, one.origin) for one in effective_text(found, documents).values}

    before, after = said("Mon 09:00"), said("Tue 09:00")
    assert before["clocks.solve.targets.P1"] == ("1h", payroll)
    assert before["clocks.solve.targets.*"] == ("8h", corp)
    assert before["clocks.solve.metric"] == ("resolution", corp)
    assert before["objectives.kept.target"] == ("90 %", corp)
    assert before["covers.service"] == ("payroll", payroll)
    assert before["contacts.on-call.phone"] == ("1", corp)
    assert after["clocks.solve.targets.*"] == ("30m", amended)
    assert {origin for _, origin in before.values()} == {corp, payroll}, "all that acme says is said again below"
    assert acme not in {origin for _, origin in after.values()}
