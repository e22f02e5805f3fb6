"""What a large record of a foreign topic costs, and how many events it may make."""

import textwrap
from collections import UserDict

import pytest

from monitor.config.mappings.mapping import parse_mapping
from monitor.config.reading.yaml_file import parse_documents
from monitor.errors import DecodeError
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import MOST_EVENTS

CHANGES = """
    mapping: changes
    subject: ticket
    subject_id: "{key}"
    time: {formats: [epoch_ms]}
    where: {kind: [changed]}
    events:
      - {type: updated, each: items, at: at, id: "{key}:{each.id}",
         when: {kind: {present: true, differs_from: other}, each.field: [status]}}
      - {type: assigned, each: tags, at: at, id: "{key}:{each}", when: {each: {not: [quiet]}}}
      - {type: responded, at: at, id: "{key}:{repetition}", repeat: {times: answers}}
"""
AT = 1_772_409_600_000


def mapper(most_events=MOST_EVENTS):
    mistakes = []
    found = parse_mapping(parse_documents(textwrap.dedent(CHANGES).encode(), "changes.yaml", mistakes)[0], mistakes)
    assert found is not None, mistakes
    return Mapper(found, most_events)


def row(**columns):
    return {"key": "T-1", "at": AT, "kind": "changed", **columns}


def items(count, field="status"):
    return [{"id": number, "field": field} for number in range(count)]


class Counted(UserDict):
    """A row that counts how often all of it is read."""

    read = 0

    def __iter__(self):
        self.read += 1
        return super().__iter__()


def test_the_row_is_not_read_again_for_each_part_of_a_list_or_each_repetition():
    """Each of 30,000 parts copied a row of 30,000 columns: a body of 998 kB cost 112 s."""
    counted = Counted(row(items=items(300), tags="a,b,c", answers=300, **{f"more-{one}": 1 for one in range(100)}))

    made = mapper().events(counted)

    assert len(made) == 603
    assert counted.read == 0


class Large:
    """A column with a text that is costly to write, as a nested body; it counts how often it is written."""

    written = 0

    def __str__(self):
        self.written += 1
        return "large"


def test_what_is_the_same_for_all_parts_is_read_once():
    large = Large()

    made = mapper().events(row(items=items(500), other=large))

    assert len(made) == 500
    assert large.written == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"items": items(MOST_EVENTS + 1)},
        {"tags": ",".join(map(str, range(MOST_EVENTS + 1)))},
        {"answers": MOST_EVENTS + 1},
        {"items": items(MOST_EVENTS), "answers": 1},
        {"items": items(2 * MOST_EVENTS + 1, field="comment")},
    ],
    ids=["a list", "a text", "repetitions", "several rules", "parts of which none counts"],
)
def test_a_row_that_would_make_more_events_than_one_may_makes_none(columns):
    with pytest.raises(DecodeError) as caught:
        mapper().events(row(**columns))

    assert caught.value.reason == "too_many_events"


def test_a_row_may_make_as_many_events_as_one_may_and_have_more_parts_that_make_none():
    made = mapper().events(row(items=items(MOST_EVENTS) + items(900, field="comment")))

    assert len(made) == MOST_EVENTS


def test_a_row_of_a_file_may_make_more():
    assert len(Mapper(mapper().mapping).events(row(answers=5_000))) == 5_000


def test_a_column_whose_name_begins_like_a_part_is_a_column():
    made = mapper().events(row(items=[{"id": 1}]) | {"each.field": "status"})

    assert [one.fact.id for one in made] == ["T-1:1"]


def test_a_time_of_a_hundred_characters_is_none():
    """Times that are known are kept: 65,000 of them with a megabyte of white space each were 65 GB."""
    with pytest.raises(DecodeError) as caught:
        mapper().events(row(items=items(1)) | {"at": "1" + "0" * 100})

    assert caught.value.reason == "bad_time"
    assert "101 characters" in caught.value.detail
