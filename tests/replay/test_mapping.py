from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.mappings.mapping import columns_of
from monitor.core.facts.events import TYPES
from monitor.errors import DecodeError
from monitor.wire.events import decode, encode_event
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import REASONS
from tests.replay.foreign import HEAD, events, mapping, reason, types

OPENED = "events: [{type: opened, at: opened_at}]\n"
STATES = """
group: {by: [number], order: [version]}
sequence: version
events:
  - {type: opened, rows: first, at: at}
  - {type: updated, rows: later, at: at}
  - {type: reopened, at: at, when: {state: {leaves: [Resolved, Closed]}}}
  - {type: priority_changed, at: at, when: {priority: {changed: true}}}
  - {type: resolved, at: at, when: {state: {becomes: [Resolved]}}}
"""


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def row(version: int, state: str, *, at: str = "1/2/2024 10:00", priority: str = "P2") -> dict[str, object]:
    return {"number": "T1", "version": str(version), "state": state, "at": at, "priority": priority}


def test_a_column_becomes_the_time_of_an_event_in_the_zone_of_the_mapping():
    (event,) = events(mapping(OPENED), {"number": "T1", "opened_at": "29/2/2024 09:30"})

    assert (event.subject, event.subject_id, event.fact.type) == ("ticket", "T1", "opened")
    assert event.fact.time_ms == ms("2024-02-29T09:30+01:00")


@pytest.mark.parametrize(
    ("formats", "text", "instant"),
    [
        ('["%d/%m/%Y %H:%M"]', "1/7/2024 12:00", "2024-07-01T10:00Z"),
        ('["%Y-%m-%d", "%d.%m.%Y %H:%M:%S"]', "1.7.2024 12:00:30", "2024-07-01T10:00:30Z"),
        ('["%Y-%m-%dT%H:%M:%S%z"]', "2024-07-01T12:00:00-0400", "2024-07-01T16:00Z"),
        ("rfc3339", "2024-07-01T12:00:00.250+02:00", "2024-07-01T10:00:00.250Z"),
        ("rfc3339", "2024-07-01T12:00:00Z", "2024-07-01T12:00Z"),
        ("epoch_s", "1719835200.5", "2024-07-01T12:00:00.500Z"),
        ("epoch_ms", "1719835200500", "2024-07-01T12:00:00.500Z"),
        ("epoch_us", "1719835200500999", "2024-07-01T12:00:00.500Z"),
        ('["%I:%M %p %d/%m/%Y"]', "12:30 AM 1/7/2024", "2024-06-30T22:30Z"),
    ],
)
def test_times_come_in_many_forms(formats, text, instant):
    of = mapping(f"events: [{{type: opened, at: {{columns: at, formats: {formats}}}}}]")

    (event,) = events(of, {"number": "T1", "at": text})

    assert event.fact.time_ms == ms(instant)


def test_a_date_and_a_time_of_day_in_two_columns_are_one_time():
    of = mapping(
        'times: {begun: {columns: [day, clock], formats: ["%Y-%m-%d %I:%M:%S %p"]}}\n'
        + OPENED.replace("opened_at", "begun")
    )

    (event,) = events(of, {"number": "T1", "day": "2024-01-01", "clock": "1:02:03 PM"})

    assert event.fact.time_ms == ms("2024-01-01T13:02:03+01:00")


def test_of_an_hour_that_comes_twice_the_earlier_is_meant():
    (event,) = events(mapping(OPENED), {"number": "T1", "opened_at": "27/10/2024 02:30"})

    assert event.fact.time_ms == ms("2024-10-27T02:30+02:00")


@pytest.mark.parametrize(
    ("when", "values"),
    [
        ("{state: Open}", {"Open"}),
        ("{state: [Open, New]}", {"Open", "New"}),
        ("{state: {not: [Open, New]}}", {"Closed", "", "?"}),
        ("{state: {present: true}}", {"Open", "New", "Closed"}),
        ("{state: {present: false}}", {"", "?"}),
        ("{state: {present: true, not: New}}", {"Open", "Closed"}),
        ("{state: {same_as: old}}", {"Closed"}),
        ("{state: {differs_from: old}}", {"Open", "New", "", "?"}),
        ("{state: {differs_from: never}}", {"Open", "New", "Closed"}),
        ("{state: Open, number: T2}", set()),
    ],
)
def test_conditions_choose_which_rows_make_an_event(when, values):
    of = mapping(f"events: [{{type: opened, at: opened_at, when: {when}}}]")

    chosen = {
        state
        for state in ("Open", "New", "Closed", "", "?")
        if events(of, {"number": "T1", "state": state, "old": "Closed", "opened_at": "1/1/2024 00:00"})
    }

    assert chosen == values


def test_a_state_that_is_repeated_in_every_row_makes_one_event_when_it_begins():
    made = events(mapping(STATES), row(0, "New"), row(1, "Resolved"), row(2, "Resolved"), row(3, "Resolved"))

    assert types(made) == ["opened", "updated", "resolved", "updated", "updated"]


def test_a_state_that_is_left_is_told_by_the_row_before_and_counts_again_when_it_comes_back():
    made = events(mapping(STATES), row(0, "Resolved"), row(1, "New"), row(2, "Resolved"))

    assert types(made) == ["opened", "resolved", "updated", "reopened", "updated", "resolved"]


def test_a_changed_value_needs_a_row_before_of_the_same_group():
    other = {**row(0, "New", priority="P1"), "number": "T2"}

    made = events(mapping(STATES), row(0, "New"), other, row(1, "New", priority="P1"), row(2, "New", priority="P1"))

    changed = [event for event in made if event.fact.type == "priority_changed"]
    assert [(event.subject_id, event.fact.sequence // 5) for event in changed] == [("T1", 1)]


def test_several_events_of_one_row_keep_their_order_and_have_ids_of_their_own():
    made = events(mapping(STATES), row(0, "New"), row(1, "Resolved", priority="P1"))

    at_once = [event.fact for event in made[1:]]
    assert [fact.type for fact in at_once] == ["updated", "priority_changed", "resolved"]
    assert sorted(at_once, key=lambda fact: fact[:3]) == at_once
    assert len({fact.id for fact in at_once}) == 3


def test_the_row_before_gives_attributes_too():
    of = mapping("""
        group: {by: [number]}
        events:
          - type: resumed
            at: at
            when: {state: {leaves: [Waiting]}}
            attributes: {reason: {column: why, previous: true, values: {vendor: waiting_for_supplier}}}
    """)
    first = {"number": "T1", "at": "1/1/2024 00:00", "state": "Waiting", "why": "vendor"}

    (event,) = events(of, first, {**first, "state": "Open", "why": "?"})

    assert event.fact.attributes == {"reason": "waiting_for_supplier"}


def test_attributes_are_columns_constants_mapped_values_times_and_durations():
    of = mapping("""
        attributes:
          customer: {constant: acme}
          team: group
          priority: {column: urgency, values: {"1 - High": P1}, otherwise: P4}
        events:
          - type: opened
            at: opened_at
            attributes:
              public: visible
              weight: {column: share, times: 0.01}
              customers_affected: people
              talk_ms: {column: seconds, times: 1000}
              hold_ms: {duration: {from: opened_at, to: over_at}}
              starts_at_ms: {time: over_at}
              ends_at_ms: {time: never}
              automatic: {constant: false}
              score: {constant: 3}
    """)
    (event,) = events(
        of,
        {
            "number": "T1", "opened_at": "1/1/2024 00:00", "over_at": "1/1/2024 00:02", "never": "?",
            "group": "?", "urgency": "1 - High", "visible": "Yes", "share": "25", "people": "12.0", "seconds": "1.5",
        },
    )  # fmt: skip

    assert event.fact.attributes == {
        "customer": "acme", "priority": "P1", "public": True, "weight": 0.25, "customers_affected": 12,
        "talk_ms": 1500, "hold_ms": 120_000, "starts_at_ms": ms("2024-01-01T00:02+01:00"), "automatic": False,
        "score": 3.0,
    }  # fmt: skip


def test_a_missing_value_takes_what_is_said_for_otherwise():
    of = mapping("attributes: {priority: {column: urgency, values: {a: P1}, otherwise: P4}}\n" + OPENED)

    (event,) = events(of, {"number": "T1", "opened_at": "1/1/2024 00:00", "urgency": "?"})

    assert event.fact.attributes == {"priority": "P4"}


@pytest.mark.parametrize("products", ["mail| vpn |mail|", ["mail", "vpn", None, "?", "mail"]])
def test_a_list_in_a_column_makes_one_event_for_each_of_its_parts_once(products):
    if isinstance(products, list):
        products = [part for part in products if part is not None]
    of = mapping("""
        events:
          - type: opened
            at: opened_at
            each: products
            separator: "|"
            subject_id: "{number}/{each}"
            when: {each: {not: fax}}
            attributes: {service: each}
    """)

    made = events(of, {"number": "T1", "opened_at": "1/1/2024 00:00", "products": products})

    assert [(event.subject_id, event.fact.attributes) for event in made] == [
        ("T1/mail", {"service": "mail"}),
        ("T1/vpn", {"service": "vpn"}),
    ]


def test_the_parts_of_a_list_may_be_objects_whose_fields_are_reached_by_dots():
    of = mapping("""
        events:
          - type: assigned
            at: opened_at
            each: changes
            when: {each.field: team, each.to: {differs_from: each.from}}
            id: "{number}/{each.to}"
            attributes: {team: each.to}
    """)
    changes = [
        {"field": "team", "from": "a", "to": "b"},
        {"field": "team", "from": "b", "to": "b"},
        {"field": "colour", "from": "a", "to": "b"},
        {"field": "team", "from": "a", "to": "b"},
        None,
        "team",
    ]

    (event,) = events(of, {"number": "T1", "opened_at": "1/1/2024 00:00", "changes": changes})

    assert (event.fact.id, event.fact.attributes) == ("T1/b", {"team": "b"})
    assert columns_of(of) == {"number", "opened_at", "changes"}


def test_a_row_of_json_is_reached_into_by_dots():
    of = mapping(
        """
        attributes: {team: assignee.groups.0.name, automatic: bot, customers_affected: "a.b"}
        events: [{type: opened, at: {columns: meta.created, formats: epoch_ms}}]
        """,
        HEAD.replace("{number}", "{ticket.id}"),
    )
    (event,) = events(
        of,
        {
            "ticket": {"id": 17},
            "meta": {"created": 1_719_835_200_000},
            "assignee": {"groups": [{"name": " desk "}]},
            "bot": True,
            "a.b": 5,
        },
    )

    assert event.subject_id == "17"
    assert event.fact.attributes == {"team": "desk", "automatic": True, "customers_affected": 5}
    assert event.fact.time_ms == 1_719_835_200_000


def test_an_id_template_makes_the_ids_and_the_same_rows_make_the_same_ids():
    of = mapping('events: [{type: opened, at: opened_at, id: "{number}-{type}-{urgency}"}]')
    one = {"number": "T1", "opened_at": "1/1/2024 00:00", "urgency": "high"}

    assert events(of, one)[0].fact.id == "T1-opened-high"
    assert events(mapping(STATES), row(0, "New"), row(1, "New")) == events(
        mapping(STATES), row(0, "New"), row(1, "New")
    )


def test_rows_that_are_not_meant_are_left_out_without_being_rejected():
    mapper = Mapper(mapping("where: {number: {not: [T1]}}\n" + OPENED))

    assert mapper.events({"number": "T1", "opened_at": "nonsense"}) is None
    assert mapper.events({"number": "T2", "opened_at": "1/1/2024 00:00"}) != []


FINE = {"number": "T1", "opened_at": "1/1/2024 00:00", "over_at": "2/1/2024 00:00", "urgency": "a", "n": "1"}
EVERYTHING = (
    """
sequence: n
group: {by: [number], order: [n]}
reject: [{reason: over_before_opened, when: {over_at: {before: opened_at}}}]
attributes:
  priority: {column: urgency, values: {a: P1}}
  public: visible
  amount: money
  hold_ms: {duration: {from: opened_at, to: held_at}}
"""
    + OPENED
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"number": "?"}, "missing_field"),
        ({"opened_at": ""}, "missing_field"),
        ({"opened_at": None}, "missing_field"),
        ({"n": None}, "missing_field"),
        ({"opened_at": "2024-01-01 00:00"}, "bad_time"),
        ({"opened_at": "30/2/2024 00:00"}, "bad_time"),
        ({"opened_at": "31/3/2024 02:30"}, "nonexistent_time"),
        ({"opened_at": "1/1/1969 00:00"}, "absurd_time"),
        ({"opened_at": "1/1/1970 00:00"}, "absurd_time"),
        ({"opened_at": "1/1/9999 00:00"}, "absurd_time"),
        ({"opened_at": "1/1/0001 00:00"}, "absurd_time"),
        ({"n": "one"}, "bad_number"),
        ({"n": "inf"}, "bad_number"),
        ({"n": "9" * 18}, "bad_number"),
        ({"money": "12,50"}, "bad_number"),
        ({"visible": "perhaps"}, "bad_value"),
        ({"urgency": "z"}, "unknown_value"),
        ({"held_at": "31/12/2023 00:00"}, "negative_duration"),
        ({"number": "T\x1f1"}, "bad_id"),
        ({"number": "T" * 600}, "bad_id"),
        ({"over_at": "31/12/2023 00:00"}, "over_before_opened"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_rejected_with_its_reason(change, expected):
    found = reason(mapping(EVERYTHING), {**FINE, **change})

    assert found == expected
    assert not found or found in REASONS or found == "over_before_opened"


def test_an_older_row_than_the_one_before_is_stale_but_one_of_the_same_order_is_not():
    of = mapping(STATES)

    assert reason(of, row(9, "New"), row(10, "New"), row(9, "Resolved")) == "stale_row"
    assert reason(of, row(9, "New"), row(10, "New"), row(10, "Resolved")) == ""


def test_a_rejected_row_changes_nothing_of_what_is_remembered():
    mapper = Mapper(mapping(STATES))
    mapper.events(row(0, "New"))

    with pytest.raises(DecodeError):
        mapper.events(row(1, "Resolved", at="never"))
    made = mapper.events(row(2, "Resolved"))

    assert types(made or []) == ["updated", "resolved"]


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["number", "version", "state", "at", "priority", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
        | st.sampled_from(["T1", "1/1/2024 00:00", "1/13/2024 00:00", "New", "Resolved", "1"]),
    )
)  # fmt: skip
def test_whatever_a_row_holds_it_makes_valid_events_or_is_rejected_for_a_known_reason(found):
    of = mapping(STATES)

    why = reason(of, found)
    made = [] if why else events(of, found)

    assert not why or why in REASONS
    assert all(event.fact.type in TYPES["ticket"] and event.subject_id and event.fact.id for event in made)
    assert all(datetime.fromtimestamp(event.fact.time_ms / 1000, UTC).year >= 1970 for event in made)


@pytest.mark.parametrize(
    ("formats", "text", "instant"),
    [
        ('["%d/%m/%Y %H:%M"]', "2/1/1970 01:00", "1970-01-02T00:00Z"),
        ('["%d/%m/%Y %H:%M"]', "1/7/1985 12:00", "1985-07-01T10:00Z"),
        ("rfc3339", "1999-12-31T23:59:59Z", "1999-12-31T23:59:59Z"),
        ("[epoch_ms, epoch_s]", "946684799", "1999-12-31T23:59:59Z"),
        ("[epoch_us, epoch_ms]", "946684799000", "1999-12-31T23:59:59Z"),
    ],
)
def test_times_reach_back_to_1970(formats, text, instant):
    of = mapping(f"events: [{{type: opened, at: {{columns: at, formats: {formats}}}}}]")

    (event,) = events(of, {"number": "T1", "at": text})

    assert event.fact.time_ms == ms(instant)
    assert decode("ticket", *encode_event(event)) == event, "also on a topic"


def test_an_instant_among_the_attributes_that_a_number_would_make_seconds_is_written_as_a_text():
    of = mapping("events: [{type: opened, at: at, attributes: {starts_at: at}}]\n")

    (event,) = events(of, {"number": "T1", "at": "1/3/1970 00:00"})

    assert event.fact.attributes == {"starts_at_ms": ms("1970-03-01T00:00+01:00")}
    assert decode("ticket", *encode_event(event)) == event
