"""Rows of aggregates: the same event several times, days that are counted, lengths of time that are written out."""

import pytest

from monitor.config.mappings.mapping import columns_of
from monitor.errors import DecodeError
from monitor.wire.mapping import Mapper
from tests.replay.foreign import HEAD, events, mapping, read
from tests.replay.test_mapping import ms, reason

DAILY = """
times: {day: {columns: n, days_since: 2024-03-29}}
events:
  - {type: opened, at: day, subject_id: "{n}-{repetition}", repeat: {times: all}}
  - {type: resolved, at: {columns: day, plus: [spent, more]}, subject_id: "{n}-{repetition}",
     repeat: {times: solved, after: unsolved}, attributes: {talk_ms: {span: spent}}}
"""


def row(**values):
    return {"n": "1", "all": "3", "solved": "2", "unsolved": "1", "spent": "0:01:30", "more": "1:00:00.5", **values}


def test_an_event_is_made_as_often_as_a_column_says_each_with_an_id_of_its_own():
    found = events(mapping(DAILY), row())

    assert [(one.subject_id, one.fact.type) for one in found] == [
        ("1-1", "opened"), ("1-2", "opened"), ("1-3", "opened"), ("1-2", "resolved"), ("1-3", "resolved")
    ]  # fmt: skip
    assert len({one.fact.id for one in found}) == 5
    assert events(mapping(DAILY), row()) == found, "the same on every run"


def test_counted_days_begin_at_their_midnight_in_the_zone_also_behind_a_change_of_the_clocks():
    first, *_ = events(mapping(DAILY), row(n="2"))
    third, *_ = events(mapping(DAILY), row(n="3"))

    assert (first.fact.time_ms, third.fact.time_ms) == (ms("2024-03-31T00:00+01:00"), ms("2024-04-01T00:00+02:00"))


def test_lengths_of_time_are_added_to_an_instant_and_become_attributes():
    *_, last = events(mapping(DAILY), row())

    assert last.fact.time_ms == ms("2024-03-30T01:01:30.500+01:00")
    assert last.fact.attributes == {"talk_ms": 90_000}


def test_without_a_number_or_with_none_of_them_there_is_no_event():
    assert events(mapping(DAILY), row(all="0", solved="")) == []


def test_a_length_of_time_that_is_missing_is_no_instant_and_no_attribute():
    attribute = mapping("events: [{type: opened, at: {columns: n, days_since: 2024-01-01}, "
                        "attributes: {talk_ms: {span: spent}}}]")  # fmt: skip

    assert events(attribute, {"number": "T", "n": "1"})[0].fact.attributes == {}
    assert reason(mapping(DAILY), row(spent="")) == "missing_field"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"all": "-1"}, "bad_number"),
        ({"all": "100001"}, "bad_number"),
        ({"unsolved": "-2"}, "bad_number"),
        ({"all": "many"}, "bad_number"),
        ({"spent": "90"}, "bad_number"),
        ({"spent": "0:61:00"}, "bad_number"),
        ({"n": "1.5"}, "bad_time"),
        ({"n": "99999"}, "absurd_time"),
        ({"n": "123456"}, "bad_time"),
    ],
)
def test_a_row_of_nonsense_is_rejected_whole(values, why):
    with pytest.raises(DecodeError) as caught:
        Mapper(mapping(DAILY)).events(row(**values))

    assert caught.value.reason == why


def test_the_columns_of_repetitions_and_lengths_are_known_and_the_repetition_is_none():
    assert columns_of(mapping(DAILY)) == {"number", "n", "all", "solved", "unsolved", "spent", "more"} - {"number"}


@pytest.mark.parametrize(
    ("event", "path", "message", "hint"),
    [
        ("at: at, repeat: {times: n}", "events[0].repeat", "one id", "add {repetition}"),
        ('at: at, id: "{number}-{repetition}"', "events[0]", "not repeated", "add repeat"),
        ('at: at, each: a, id: "{number}-{repetition}", repeat: {times: n}', "events[0].repeat", "each", "list"),
        ("at: {columns: [a, b], days_since: 2024-01-01}", "events[0].at", "one column", "zone"),
        ("at: at, attributes: {team: {span: a}}", "events[0].attributes.team", "is no number", "span"),
    ],
)
def test_a_mistake_in_them_is_told_with_its_path_and_a_hint(event, path, message, hint):
    found, (mistake, *_) = read(HEAD + f"events: [{{type: opened, {event}}}]\n")

    assert found is None
    assert mistake.path == path
    assert message in mistake.message
    assert hint in mistake.hint
