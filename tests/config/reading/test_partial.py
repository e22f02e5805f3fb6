"""All mistakes at once: what violates the shape hides nothing of what stands beside it."""

from hypothesis import given
from hypothesis import strategies as st

from tests.config.conftest import AGREEMENT
from tests.replay.foreign import HEAD, read

MAPPING = (
    HEAD
    + """\
group: {by: [number], order: [n]}
attributes:
  priority: urgency
  team: {previous: true, column: team}
events:
  - {type: opened, at: opened, rows: first}
  - type: updated
    at: changed
    when: {state: {changed: true}}
    attributes: {prio: x}
  - {type: closd, at: closed}
  - {type: resolved, at: {columns: done, formats: yyyy}}
"""
)


def paths(text: str) -> list[str]:
    return [one.path for one in read(text)[1]]


def test_an_unknown_key_in_a_mapping_hides_none_of_the_four_other_mistakes():
    """One unknown key hid all others: they came one after the other, each after a run."""
    text = MAPPING.replace("rows: first}", "rows: first, wen: {a: b}}").replace('id: "{number}"', 'id: "{number"')

    assert paths(text) == [
        "subject_id",
        "events[0].wen",
        "events[1].attributes.prio",
        "events[2].type",
        "events[3].at.formats",
    ]


def test_a_misspelt_key_is_told_and_not_only_that_its_part_says_nothing():
    """ "has no source", "has no time", "names no zone" were told, and the word to correct was not."""
    text = MAPPING.replace("priority: urgency", "priority: {colum: urgency}").replace(
        "at: opened", "at: {columns: opened, zone: {nam: UTC}, colums: x}"
    )

    _, mistakes = read(text)

    assert {one.path for one in mistakes if one.message == "unknown key"} == {
        "attributes.priority.colum",
        "events[0].at.colums",
        "events[0].at.zone.nam",
    }


def test_a_value_that_may_be_of_several_types_is_one_mistake():
    _, mistakes = read(MAPPING.replace("changed: true", "above: many"))

    assert [one.message for one in mistakes if "above" in one.path] == ["must be a number, not the text 'many'"]


def test_a_target_with_a_mistake_hides_nothing_else_of_its_clock(checked):
    """The clock had no targets then, and went as a whole: its metric, and what was promised of it."""
    text = AGREEMENT.replace('{P1: 15m, "*": 4h}', "{P1: 15x}").replace(
        "metric: first_response", "metric: first_respons"
    )

    assert agreed(checked, text) == ["clocks[0].metric", "clocks[0].targets.P1"]


def test_a_misspelt_time_allowed_is_told(checked):
    (mistake,) = checked(AGREEMENT.replace("P1: 15m", "P1: {witin: 15m}")).mistakes

    assert (mistake.message, mistake.hint) == ("unknown key", "did you mean 'within'?")


def test_a_mistake_behind_an_entry_that_is_taken_out_stands_at_its_own_place_and_line():
    _, mistakes = read(MAPPING.replace("{type: opened, at: opened, rows: first}", "{type: opened}"))

    assert [(one.path, one.line) for one in mistakes] == [
        ("events[0].at", 11),
        ("events[1].attributes.prio", 15),
        ("events[2].type", 16),
        ("events[3].at.formats", 17),
    ]


def test_what_is_taken_out_makes_no_mistake_of_its_own():
    """Without its group, every look at the row before would be one."""
    assert paths(MAPPING.replace("group: {by: [number]", "group: {bi: [number]")) == [
        "group.by",
        "group.bi",
        "events[1].attributes.prio",
        "events[2].type",
        "events[3].at.formats",
    ]


def test_a_mapping_without_what_it_must_have_is_judged_by_the_rest():
    calls = HEAD.replace("subject: ticket\n", "").replace("mapping: test\n", "") + (
        "events: [{type: queued, at: a}, {type: answred, at: b}]\n"
    )

    assert sorted(paths(calls)) == ["events[1].type", "mapping", "subject"]


def agreed(checked, text):
    return [one.path for one in checked(text).mistakes]


def test_an_unknown_key_in_an_agreement_hides_none_of_the_other_mistakes(checked):
    spoilt = (
        AGREEMENT.replace("    metric: first_response", "    metrc: first_response")
        .replace("holidays: {country: DE", "holidays: {country: XX")
        .replace("service_hours: office", "service_hours: ofice")
        .replace("of: response", "of: hotlin")
        .replace("  - id: hotline", "  - id: network")
    )

    assert agreed(checked, spoilt) == [
        "calendars.office.holidays.country",
        "clocks[0].metric",
        "clocks[0].metrc",
        "outages[0].id",
        "outages[0].service_hours",
        "objectives[0].of",
    ]


def test_a_promise_that_refers_to_a_part_with_a_mistake_is_none(checked):
    spoilt = AGREEMENT.replace("targets: {P1: 15m", "targts: {P1: 15m")

    assert sorted(agreed(checked, spoilt)) == ["clocks[0].targts"]


@given(st.sets(st.sampled_from(["subject_id", "wen", "prio", "closd", "yyyy"])))
def test_whichever_mistakes_there_are_all_are_told(wrong):
    text = MAPPING
    for name, right in {"prio": "service", "closd": "closed", "yyyy": "rfc3339"}.items():
        if name not in wrong:
            text = text.replace(f"{{{name}: x}}", f"{{{right}: x}}").replace(f": {name}", f": {right}")
    if "subject_id" in wrong:
        text = text.replace('id: "{number}"', 'id: "{number"')
    if "wen" in wrong:
        text = text.replace("rows: first}", "rows: first, wen: {a: b}}")
    places = {
        "subject_id": "subject_id", "wen": "events[0].wen", "prio": "events[1].attributes.prio",
        "closd": "events[2].type", "yyyy": "events[3].at.formats",
    }  # fmt: skip

    assert set(paths(text)) == {places[one] for one in wrong}
