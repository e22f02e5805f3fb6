"""What the mapping language can say: comparisons, zones by column, lengths, shifts past midnight, episodes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.mappings.mapping import columns_of
from monitor.wire.events import decode, encode_event
from monitor.wire.mapping_rules import LONGEST_COMPARED
from monitor.wire.patterns import MOST_CHARACTERS, pattern_of
from tests.replay.foreign import HEAD, events, mapping, read, reason, types
from tests.replay.test_mapping import ms

AT = "1/3/2024 08:00"


def holds(when: str, **row: object) -> bool:
    of = mapping(f"events: [{{type: opened, at: at, when: {when}}}]\n")
    return bool(events(of, {"number": "T1", "at": AT, **row}))


# ---- conditions


@pytest.mark.parametrize(
    ("when", "values"),
    [
        ("{n: {above: 5}}", {"6", "5.5", "1e2"}),
        ("{n: {at_least: 5}}", {"5", "6", "5.5", "1e2"}),
        ("{n: {below: 5}}", {"4", "-7"}),
        ("{n: {at_most: 5}}", {"4", "5", "-7"}),
        ("{n: {at_least: 4, below: 5.5}}", {"4", "5"}),
    ],
)
def test_a_number_is_compared_with_constants_and_a_missing_one_passes_nothing(when, values):
    assert {one for one in ("4", "5", "6", "5.5", "-7", "1e2", "", "?") if holds(when, n=one)} == values


def test_what_is_to_be_compared_and_is_no_number_rejects_the_row():
    of = mapping("events: [{type: opened, at: at, when: {n: {above: 5}}}]\n")

    assert reason(of, {"number": "T1", "at": AT, "n": "many"}) == "bad_number"


@pytest.mark.parametrize(
    ("when", "values"),
    [
        ("{n: {prefix: INC}}", {"INC1", "INC", "INC-22"}),
        ("{n: {prefix: [INC-, REQ]}}", {"INC-22", "REQ7"}),
        ('{n: {pattern: "INC*"}}', {"INC1", "INC", "INC-22"}),
        ('{n: {pattern: "???[0-9]"}}', {"INC1", "REQ7"}),
        ('{n: {pattern: ["*-*", "[!I]*"]}}', {"INC-22", "REQ7"}),
        ("{n: {missing: true}}", {"", "?"}),
        ("{n: {missing: false}}", {"INC1", "INC", "INC-22", "REQ7"}),
    ],
)
def test_texts_are_compared_by_prefix_and_pattern_and_may_be_missing(when, values):
    assert {one for one in ("INC1", "INC", "INC-22", "REQ7", "", "?") if holds(when, n=one)} == values


def test_a_time_is_compared_with_a_constant_and_with_another_time():
    assert holds("{at: {before: {constant: 2024-03-01T08:00:01+01:00}}}")
    assert not holds("{at: {before: {constant: 2024-03-01T08:00:00+01:00}}}")
    assert holds("{at: {after: {constant: 2024-03-01}}}"), "the date begins at its midnight in Berlin"
    assert not holds("{at: {after: {constant: 2024-03-01T08:00:00+01:00}}}")
    assert holds("{at: {after: due}}", due="1/3/2024 07:59")
    assert not holds("{at: {after: due}}", due=AT)
    assert not holds("{at: {after: due}}", due="")


@given(st.text(alphabet="ab-", max_size=12), st.text(alphabet="ab*?", max_size=8))
def test_a_pattern_fits_as_the_words_of_the_reference_say(text, pattern):
    def fits(rest: str, by: str) -> bool:
        if not by:
            return not rest
        if by[0] == "*":
            return any(fits(rest[cut:], by[1:]) for cut in range(len(rest) + 1))
        return bool(rest) and by[0] in ("?", rest[0]) and fits(rest[1:], by[1:])

    assert bool(pattern_of(pattern).match(text)) == fits(text, pattern)


def test_a_hostile_text_costs_a_pattern_no_more_than_its_length():
    """A regular expression such as (a*)*b takes longer than the universe on thirty letters."""
    text = "a" * (LONGEST_COMPARED - 1)
    begun = time.process_time()

    for pattern in ("*a" * (MOST_CHARACTERS // 2) + "b", "*" + "?" * (MOST_CHARACTERS - 2) + "b", "*a*a*a*b*a*"):
        assert not pattern_of(pattern).match(text)

    assert time.process_time() - begun < 5
    assert not holds('{n: {pattern: "a*"}}', n="a" * (LONGEST_COMPARED + 1)), "longer texts are not looked at"


# ---- times


def test_the_zone_of_a_row_stands_in_a_column():
    of = mapping("events: [{type: opened, at: {columns: at, zone: {column: tz, otherwise: Europe/Berlin}}}]\n")

    def at(zone: str) -> int:
        return events(of, {"number": "T1", "at": "1/7/2024 12:00", "tz": zone})[0].fact.time_ms

    assert at("America/New_York") == ms("2024-07-01T12:00-04:00")
    assert at("Asia/Kolkata") == ms("2024-07-01T12:00+05:30")
    assert at("") == ms("2024-07-01T12:00+02:00")
    assert columns_of(of) == {"number", "at", "tz"}


def test_words_for_zones_are_translated():
    head = HEAD.replace(
        "zone: Europe/Berlin", "zone: {column: site, values: {BER: Europe/Berlin, NYC: America/New_York}}"
    )
    of = mapping("events: [{type: opened, at: at}]\n", head)
    row = {"number": "T1", "at": "1/7/2024 12:00"}

    assert events(of, {**row, "site": "NYC"})[0].fact.time_ms == ms("2024-07-01T12:00-04:00")
    assert reason(of, {**row, "site": "LAX"}) == "bad_zone"
    assert reason(of, {**row, "site": ""}) == "bad_time", "no zone is known"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "a" * 10_000, "+02:00", "posixrules/"]
)
def test_a_record_names_no_zone_but_those_that_there_are(zone):
    of = mapping("events: [{type: opened, at: {columns: at, zone: {column: tz}}}]\n")

    assert reason(of, {"number": "T1", "at": AT, "tz": zone}) == "bad_zone"


@pytest.mark.parametrize(
    ("unit", "text", "length_ms"),
    [
        ("ms", "1500", 1500), ("s", "90", 90_000), ("s", "0.25", 250), ("m", "1.5", 90_000), ("h", "2", 7_200_000),
        ("d", "1", 86_400_000), ('"h:m:s"', "0:01:30", 90_000), ('"h:m"', "25:10", 90_600_000),
        ('"m:s"', "75:01.5", 4_501_500),
    ],
)  # fmt: skip
def test_a_length_of_time_is_a_plain_number_with_its_unit_or_written_out(unit, text, length_ms):
    of = mapping(f"""
        events:
          - type: opened
            at: {{columns: at, plus: {{column: length, unit: {unit}}}}}
            attributes: {{talk_ms: {{span: {{column: length, unit: {unit}}}}}}}
    """)

    (event,) = events(of, {"number": "T1", "at": AT, "length": text})

    assert event.fact.time_ms == ms("2024-03-01T08:00+01:00") + length_ms
    assert event.fact.attributes == {"talk_ms": length_ms}


@pytest.mark.parametrize(
    ("unit", "text"), [("s", "-1"), ("s", "1e30"), ("d", "99999"), ("s", "0:01:30"), ('"m:s"', "0:01:30")]
)
def test_what_is_no_length_of_time_in_its_unit_rejects_the_row(unit, text):
    of = mapping(f"events: [{{type: opened, at: {{columns: at, plus: {{column: length, unit: {unit}}}}}}}]\n")

    assert reason(of, {"number": "T1", "at": AT, "length": text}) == "bad_number"


SHIFT = """
times:
  began: {columns: [day, from]}
  ended: {columns: [day, to], next_day_if_before: began}
events: [{type: opened, at: began}, {type: closed, at: ended}]
"""


@pytest.mark.parametrize(
    ("day", "to", "ended"),
    [
        ("1/3/2024", "23:30", "2024-03-01T23:30+01:00"),
        ("1/3/2024", "00:15", "2024-03-02T00:15+01:00"),
        ("30/3/2024", "07:00", "2024-03-31T07:00+02:00"),
        ("29/2/2024", "21:59", "2024-03-01T21:59+01:00"),
    ],
)
def test_a_time_of_day_before_the_beginning_is_past_midnight(day, to, ended):
    made = events(mapping(SHIFT), {"number": "T1", "day": day, "from": "22:00", "to": to})

    assert [one.fact.time_ms for one in made][1] == ms(ended)


def test_a_time_that_is_earlier_by_more_than_a_day_is_another_fault_and_stays():
    of = mapping("""
        times: {ended: {columns: to, next_day_if_before: began}}
        events: [{type: opened, at: began}, {type: closed, at: ended}]
    """)

    made = events(of, {"number": "T1", "began": "5/3/2024 08:00", "to": "1/3/2024 08:00"})

    assert made[1].fact.time_ms == ms("2024-03-01T08:00+01:00")


def test_a_time_of_day_past_midnight_without_a_zone_is_24_hours_later():
    of = mapping(
        "times: {ended: {columns: to, next_day_if_before: began}}\n"
        "events: [{type: opened, at: began}, {type: closed, at: ended}]\n",
        HEAD.replace('time: {formats: ["%d/%m/%Y %H:%M"], zone: Europe/Berlin}', ""),
    )

    made = events(of, {"number": "T1", "began": "2024-03-01T22:00:00Z", "to": "2024-03-01T01:00:00Z"})

    assert made[1].fact.time_ms == ms("2024-03-02T01:00Z")


# ---- episodes

PUMPS = """
group:
  by: [number]
  episodes: {begin: {state: {becomes: [down]}}, at: at}
events:
  - {type: started, at: at, rows: first}
  - {type: degraded, at: at, rows: later, when: {state: limping}}
  - {type: restored, at: at, when: {state: {leaves: [down, limping]}}}
"""
OUTAGES = HEAD.replace("ticket", "outage").replace("{number}", "{number}/{episode}")


def state(pump: str, at: str, now: str) -> dict[str, object]:
    return {"number": pump, "at": f"{at}/3/2024 08:00", "state": now}


def test_a_component_that_fails_twice_has_two_outages():
    made = events(
        mapping(PUMPS, OUTAGES),
        state("A", "1", "up"), state("A", "2", "down"), state("A", "3", "down"), state("B", "3", "down"),
        state("A", "4", "up"), state("A", "5", "up"), state("A", "6", "down"), state("A", "7", "up"),
    )  # fmt: skip

    assert [(one.subject_id, one.fact.type) for one in made] == [
        ("A/2024-03-02T07:00:00.000Z", "started"),
        ("B/2024-03-03T07:00:00.000Z", "started"),
        ("A/2024-03-02T07:00:00.000Z", "restored"),
        ("A/2024-03-06T07:00:00.000Z", "started"),
        ("A/2024-03-06T07:00:00.000Z", "restored"),
    ]
    assert len({one.fact.id for one in made}) == len(made)


def test_an_episode_has_the_same_id_whichever_part_of_the_log_is_read():
    whole = [state("A", "2", "down"), state("A", "4", "up"), state("A", "6", "down"), state("A", "7", "up")]

    ids = [[one.subject_id for one in events(mapping(PUMPS, OUTAGES), *rows)] for rows in (whole, whole[2:])]

    assert ids[0][2:] == ids[1]


def test_first_and_later_rows_are_those_of_the_episode():
    made = events(
        mapping(PUMPS, OUTAGES),
        state("A", "1", "up"), state("A", "2", "down"), state("A", "3", "limping"), state("A", "4", "up"),
        state("A", "5", "limping"),
    )  # fmt: skip

    assert types(made) == ["started", "degraded", "restored", "degraded"]


def test_an_episode_whose_beginning_has_no_time_rejects_the_row():
    assert reason(mapping(PUMPS, OUTAGES), {"number": "A", "at": "", "state": "down"}) == "missing_field"


def test_the_columns_of_episodes_are_known():
    assert columns_of(mapping(PUMPS, OUTAGES)) == {"number", "state", "at"}


# ---- mistakes

AT_T = "events: [{type: opened, at: t}]"
IN_ID = 'events: [{type: opened, at: at, id: "{number}/{episode}"}]'


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        ("events: [{type: opened, at: at, when: {n: {missing: true, present: true}}}]", "events[0].when.n",
         "missing and present", "one"),
        ("events: [{type: opened, at: {constant: 2024-01-01, formats: rfc3339}}]", "events[0].at.formats",
         "does not go together", "leave"),
        ("events: [{type: opened, at: {columns: a, constant: 2024-01-01}}]", "events[0].at", "two times", "write"),
        ("events: [{type: opened, at: {plus: a}}]", "events[0].at", "no time", "write columns"),
        ("events: [{type: opened, at: {columns: a, zone: {values: {a: UTC}}}}]", "events[0].at.zone", "no zone",
         "column"),
        ("events: [{type: opened, at: {columns: a, plus: {column: b, unit: weeks}}}]", "events[0].at.plus.unit",
         "must be", ""),
        ("times: {t: {columns: a, next_day_if_before: u}, u: {columns: b, next_day_if_before: t}}\n" + AT_T,
         "times.t.next_day_if_before", "needs itself", "column"),
        ("group: {by: [n], episodes: {begin: {s: {becomes: down}}, at: at}}\nevents: [{type: opened, at: at}]",
         "group.episodes", "used by no event", "{episode}"),
        ("group: {by: [n], episodes: {begin: {s: x}, at: at}}\n" + IN_ID, "events[0].id", "subject_id", "its own"),
        (f"events: [{{type: opened, at: at, when: {{n: {{pattern: {'x' * 201}}}}}}}]", "events[0].when.n.pattern",
         "200 characters", "prefix"),
    ],
)  # fmt: skip
def test_a_mistake_in_them_is_told_with_its_path_and_a_hint(text, path, message, hint):
    found, mistakes = read(HEAD + text + "\n")

    assert found is None
    assert any(one.path == path and message in one.message and hint in one.hint for one in mistakes), mistakes


def test_a_date_that_stands_alone_needs_a_zone():
    head = HEAD.replace('time: {formats: ["%d/%m/%Y %H:%M"], zone: Europe/Berlin}', "")

    found, (mistake, *_) = read(head + "events: [{type: opened, at: {constant: 2024-01-01}}]\n")

    assert found is None
    assert (mistake.path, mistake.message) == ("events[0].at.constant", "a date begins in a zone")


# ---- deadlines that the record sets itself


def test_a_due_instant_of_the_record_is_read_as_times_are_and_goes_into_the_event():
    of = mapping("""
        times: {promised: [day, clock]}
        attributes: {response_due_at: {time: {columns: answer_by, zone: {column: tz}}}}
        events: [{type: opened, at: at, attributes: {due_at: promised}}]
    """)
    row = {"number": "T1", "at": AT, "day": "4/3/2024", "clock": "17:00", "answer_by": AT, "tz": "Asia/Kolkata"}

    (event,) = events(of, row)

    assert event.fact.attributes == {
        "due_at": ms("2024-03-04T17:00+01:00"),
        "response_due_at": ms("2024-03-01T08:00+05:30"),
    }
    assert decode("ticket", *encode_event(event)) == event
    assert events(of, {**row, "day": ""})[0].fact.attributes.keys() == {"response_due_at"}, "some have no deadline"
