"""Multi-level agreements: corporate -> customer -> service; the most specific level that covers a subject binds."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.agreements.checking import book_of, parse_document
from monitor.core.agreements.agreement import Origin
from monitor.core.agreements.book import Book
from monitor.core.agreements.levels import editions, in_force, most_specific, parts_by_origin
from monitor.core.agreements.measures import Filter
from monitor.core.clocks.terms import Plan
from monitor.core.subjects.fast_path import first_fact, next_fact
from monitor.core.subjects.step import step
from monitor.core.time.spans import NEVER_MS
from tests.core.stories import DAY_MS, MONDAY_MS, Story, agreement, ms, ticket
from tests.core.subjects.test_subject_laws import END_MS, essence, histories

HEAD = {
    "version": 1, "valid_from": "2020-01-01", "name": "n", "form": "multi-level", "provider": "IT", "customer": "all",
    "service": "desk", "status": "accepted", "accepted_by": "me", "accepted_on": "2019-12-01",
}  # fmt: skip
CORPORATE = HEAD | {
    "agreement": "corp",
    "level": "corporate",
    "calendars": {"office": {"hours": {"mon-fri": "09:00-17:00"}}},
    "contacts": [{"role": "on-call", "phone": "1"}],
    "clocks": [
        {
            "id": "solve", "metric": "resolution", "calendar": "office", "targets": {"P1": "4h", "*": "8h"},
            "at_risk": "75%",
        },
        {"id": "answer", "metric": "first_response", "targets": {"*": "2h"}},
    ],
    "objectives": [{"id": "kept", "of": "solve", "indicator": "compliance", "target": "90 %"}],
}  # fmt: skip
ACME = HEAD | {
    "agreement": "acme", "level": "customer", "under": "corp", "covers": {"customer": "acme"},
    "clocks": [{"id": "solve", "targets": {"P1": "2h"}}],
}  # fmt: skip
PAYROLL = HEAD | {
    "agreement": "payroll", "level": "service", "under": "acme", "covers": {"customer": "acme", "service": "payroll"},
    "clocks": [{"id": "solve", "targets": {"P1": "1h"}}],
}  # fmt: skip
AMENDED = CORPORATE | {
    "version": 2, "valid_from": "2026-03-03",
    "clocks": [{"id": "solve", "metric": "resolution", "targets": {"*": "30m"}, "at_risk": "50%"}],
}  # fmt: skip


def book(*documents):
    return book_of([parse_document(one) for one in documents])


def opened(subject_id, **attributes):
    return ticket(subject_id, "opened", **attributes)


def promised(of_book, at, **attributes):
    return {
        (one.id, rule.id, priority): budget.budget_ms // 60_000
        for one in of_book.in_force(attributes, ms(at))
        for rule in one.clocks
        for priority, budget in rule.budgets.items()
    }


def test_the_most_specific_level_that_covers_a_subject_binds_and_only_that_one():
    known = book(CORPORATE, ACME, PAYROLL)

    assert [one.id for one in known.in_force({"customer": "other"}, MONDAY_MS)] == ["corp"]
    assert [one.id for one in known.in_force({"customer": "acme"}, MONDAY_MS)] == ["acme"]
    assert [one.id for one in known.in_force({"customer": "acme", "service": "payroll"}, MONDAY_MS)] == ["payroll"]


def test_targets_add_up_by_priority_and_everything_else_is_inherited_with_its_origin():
    (payroll,) = book(CORPORATE, ACME, PAYROLL).in_force({"customer": "acme", "service": "payroll"}, MONDAY_MS)

    solve = payroll.measure("solve")
    assert {name: budget.budget_ms // 60_000 for name, budget in solve.budgets.items()} == {"P1": 60, "*": 480}
    assert solve.budgets["P1"].calendar == "office"
    assert [one.percent for one in solve.at_risk] == [75]
    assert payroll.measure("answer") is not None
    assert [one.id for one in payroll.objectives] == ["kept"]
    assert [one.role for one in payroll.contacts] == ["on-call"]
    assert payroll.origin("clocks", "solve", "targets", "P1") == Origin("payroll", 1, "service")
    assert payroll.origin("clocks", "solve", "targets", "*") == Origin("corp", 1, "corporate")
    assert payroll.origin("objectives", "kept") == Origin("corp", 1, "corporate")
    assert payroll.origin("nothing") == Origin("payroll", 1, "service")


def test_agreement_amended_while_clocks_run_on_the_corporate_level_changes_the_levels_below_from_then_on():
    known = book(CORPORATE, AMENDED, ACME)
    story = Story()
    story.book = known
    story.at("Mon 09:00", opened("T-1", customer="acme", priority="P2"))
    story.at("Tue 09:00", opened("T-2", customer="acme", priority="P2"), opened("T-3", customer="acme", priority="P1"))
    story.until("Tue 18:00")

    assert story.told("T-1", "solve") == ["at_risk Mon 15:00", "breached Tue 09:00"]  # 8 h in the office, as judged
    assert story.told("T-2", "solve") == ["at_risk Tue 09:15", "breached Tue 09:30"]  # the amended 30 min
    assert story.told("T-3", "solve") == ["at_risk Tue 10:00", "breached Tue 11:00"]  # its own 2 h, warned at 50 %


@pytest.mark.parametrize("level", [CORPORATE, ACME, PAYROLL], ids=lambda one: one["level"])
def test_agreement_amended_while_clocks_run_leaves_what_was_judged_on_each_level(level):
    attributes = {"customer": "acme", "service": "payroll", "priority": "P3"}
    story = Story()
    story.book = book(CORPORATE, ACME, PAYROLL)
    story.at("Mon 09:00", opened("T-1", **attributes))
    story.until("Tue 09:00").until("Tue 09:01")
    before = list(story.alerts)

    amendment = level | {"version": 2, "valid_from": "2026-03-03T00:00:00+00:00"}
    amendment["clocks"] = [{"id": "solve", "metric": "resolution", "targets": {"P3": "10m"}}]
    story.book = replace(book(CORPORATE, ACME, PAYROLL, amendment))
    story.sweep("Tue 09:02")
    story.at("Tue 09:05", opened("T-2", **attributes)).until("Tue 10:00")

    assert story.alerts[: len(before)] == before
    assert story.told("T-1") == ["breached Mon 11:00", "at_risk Mon 15:00", "breached Tue 09:00"]
    assert "breached Tue 09:15" in story.told("T-2", "solve")


def test_the_end_of_the_upper_level_takes_what_it_gave_and_a_draft_gives_nothing():
    ended = CORPORATE | {"terminates": "2026-03-03"}
    own = ACME | {"clocks": [{"id": "mine", "metric": "resolution", "targets": {"*": "1h"}}]}

    assert ("acme", "solve", "*") in promised(book(ended, own), "Mon 09:00", customer="acme")
    assert promised(book(ended, own), "Tue 09:00", customer="acme") == {("acme", "mine", "*"): 60}
    assert promised(book(CORPORATE | {"status": "draft"}, own), "Mon 09:00", customer="acme") == {
        ("acme", "mine", "*"): 60
    }


def test_a_level_whose_upper_one_is_unknown_has_what_it_says_itself():
    own = ACME | {"clocks": [{"id": "mine", "metric": "resolution", "targets": {"*": "1h"}}]}

    assert promised(book(own), "Mon 09:00", customer="acme") == {("acme", "mine", "*"): 60}


def test_levels_that_go_round_in_a_circle_are_followed_once():
    one = agreement(id="a", under="b", level="customer")
    other = agreement(id="b", under="a", level="customer")

    found = editions([one, other])

    chains = [(edition.own.id, [above.id for above in edition.above]) for edition in found]
    assert chains == [("a", ["b"]), ("b", ["a"])]


def test_of_two_equally_specific_levels_of_a_family_the_first_binds():
    corporate = agreement(id="corp")
    first, second = (agreement(id=name, lineage=("corp",), covers=Filter()) for name in ("a", "b"))

    assert [one.id for one in most_specific([first, second, corporate, agreement(id="other")])] == ["a", "other"]


def test_each_version_of_a_level_has_its_editions_up_to_the_next_version():
    upper = [agreement(id="corp", version=n, valid_from=n * 10) for n in (1, 2, 3, 4)]
    upper.append(agreement(id="corp", version=5, valid_from=50, status="draft"))
    lower = [agreement(id="low", under="corp", version=n, valid_from=at) for n, at in ((1, 15), (2, 35))]
    draft = agreement(id="low", under="corp", version=3, valid_from=36, status="draft")

    found = [
        (edition.own.version, edition.from_ms, [one.version for one in edition.above])
        for edition in editions([*upper, *lower, draft])
        if edition.own.id == "low"
    ]

    assert found == [(1, 15, [1]), (1, 20, [2]), (1, 30, [3]), (2, 35, [3]), (2, 40, [4]), (3, 36, [3])]


def test_a_version_is_found_in_the_edition_of_an_instant():
    known = book(CORPORATE, AMENDED, ACME)

    texts = [known.exact("acme", 1, at_ms) for at_ms in (0, ms("Mon 12:00"), ms("Tue 12:00"))]
    assert [one.measure("solve").budgets["*"].budget_ms // 60_000 for one in texts] == [480, 480, 30]
    assert known.exact("acme", 1) == texts[-1]
    assert known.exact("acme", 9) is None


LEVELED = book(CORPORATE, AMENDED, ACME, PAYROLL)


def with_attributes(events, covered):
    return [
        one._replace(fact=one.fact._replace(attributes=one.fact.attributes | covered[one.subject_id])) for one in events
    ]


COVERED = st.fixed_dictionaries(
    {},
    optional={
        "customer": st.sampled_from(["acme", "other"]),
        "service": st.sampled_from(["payroll", "mail"]),
    },
)


def leveled(batches):
    story = Story(retention="400d")
    story.book = LEVELED
    for batch in batches:
        story.take(story.engine.batch(batch, 0, story.book))
    story.due(END_MS)
    return story


@settings(max_examples=60, deadline=None)
@given(histories(), COVERED, COVERED, COVERED, st.data())
def test_under_several_levels_any_order_repetition_and_batch_gives_the_same_clocks_figures_and_alert_ids(
    events, first, second, third, data
):
    events = with_attributes(events, {"T-0": first, "T-1": second, "T-2": third})
    straight = leveled([[one] for one in events])

    shuffled = leveled([[one] for one in data.draw(st.permutations(events))])
    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cut = data.draw(st.integers(0, len(repeated)))
    again = leveled([batch for batch in (repeated[:cut], repeated[cut:]) if batch])

    assert essence(shuffled) == essence(straight) == essence(again)
    assert sorted(one.id for one in again.alerts) == sorted(one.id for one in straight.alerts)
    for key, row in straight.rows.items():
        if key[:1] == b"s":  # nothing is timed twice
            assert len({one.series.agreement for one in row.clocks}) <= 1


@settings(max_examples=60, deadline=None)
@given(histories(), COVERED, st.data())
def test_under_several_levels_the_short_way_gives_what_the_whole_one_gives(events, covered, data):
    plan, rows = Plan(LEVELED), {}
    for event in data.draw(st.permutations(with_attributes(events, dict.fromkeys(("T-0", "T-1", "T-2"), covered)))):
        row, until = rows.get(event.subject_id), (0, plan, 400 * DAY_MS)
        way = (first_fact, "ticket") if row is None else (next_fact, "ticket", row)
        short = way[0](*way[1:], event.fact, *until)
        done = step("ticket", event.subject_id, row, [event.fact], *until)
        assert short in (None, (done.row, done.changes))
        rows[event.subject_id] = done.row


def test_a_book_without_levels_is_as_before():
    assert Book((agreement(id="a"), agreement(id="b")), 1).leveled == frozenset()


def test_what_is_in_force_is_no_draft_and_not_over():
    known = [
        agreement(id="a", version=1), agreement(id="a", version=2, valid_from=10),
        agreement(id="a", version=3, valid_from=11, status="draft"), agreement(id="b", terminates_ms=12),
    ]  # fmt: skip

    assert [(one.id, one.version) for one in in_force(known, 9)] == [("a", 1), ("b", 1)]
    assert [(one.id, one.version) for one in in_force(known, 12)] == [("a", 2)]


def test_each_level_says_some_of_the_parts():
    payroll = book(CORPORATE, ACME, PAYROLL).exact("payroll", 1)

    assert parts_by_origin(payroll) == {
        Origin("payroll", 1, "service"): 2,  # the target of P1, and the clock that it is of
        Origin("corp", 1, "corporate"): 4,  # its other target, the other clock and its target, the objective
    }


def test_levels_above_that_name_each_other_are_looked_at_once():
    found = editions([agreement(id=name, under=under) for name, under in (("low", "a"), ("a", "b"), ("b", "a"))])

    assert [one.id for one in found[-1].above] == ["b", "a"]


def test_an_edition_holds_for_a_stretch_of_time():
    of_book = book(CORPORATE, AMENDED, ACME)
    amended_ms = ms("Tue 00:00")

    first_ms, until_ms = of_book.edition_span("acme", 1, amended_ms - 1)
    assert first_ms < ms("Mon 00:00") - 10**12
    assert until_ms == amended_ms
    assert of_book.edition_span("acme", 1, amended_ms) == (amended_ms, NEVER_MS)
    for at_ms in (amended_ms - 1, amended_ms):
        start_ms, end_ms = of_book.edition_span("acme", 1, at_ms)
        edition = of_book.exact("acme", 1, at_ms)
        assert of_book.exact("acme", 1, max(0, start_ms)) is edition
        assert of_book.exact("acme", 1, end_ms - 1) is edition
    assert of_book.edition_span("nobody", 1, 0) == (-NEVER_MS, NEVER_MS)
