from pathlib import Path

import pytest

from monitor.config.mappings.mapping import columns_of, load_mapping
from monitor.errors import ConfigError
from tests.replay.foreign import HEAD, mapping, read

MAPPINGS = Path(__file__).parents[1] / "mappings"
EVENT = "events: [{type: opened, at: at}]\n"


@pytest.mark.parametrize("name", ["uci_incidents", "simulated_call_centre", "gcp_outages", "daily_calls"])
def test_the_mappings_of_the_public_data_have_no_mistakes(name):
    assert load_mapping(MAPPINGS / f"{name}.yaml").events


@pytest.mark.parametrize(
    ("text", "line", "path", "message", "hint"),
    [
        ("event: []\n" + EVENT, 6, "event", "unknown key", "did you mean 'events'?"),
        ("events: []\n", 6, "events", "must have at least 1", ""),
        ("events: [{type: open, at: at}]\n", 6, "events[0].type", "is no event of a ticket", "did you mean 'opened'?"),
        ("events: [{type: queued, at: at}]\n", 6, "events[0].type", "is no event of a ticket", "it is one of call"),
        ("events:\n  - type: opened\n", 7, "events[0].at", "is missing", ""),
        ("events: [{type: opened, rows: first, at: at}]\n", 6, "events[0].rows", "which rows belong together", "group"),
        ("events: [{type: opened, at: at, when: {s: {changed: true}}}]\n", 6, "events[0].when.s", "row before",
         "group"),
        ("events: [{type: opened, at: at, when: {s: {}}}]\n", 6, "events[0].when.s", "says nothing", "present"),
        ("events: [{type: opened, at: at, when: {s: {become: x}}}]\n", 6, "events[0].when.s.become", "unknown key",
         "did you mean 'becomes'?"),
        ("attributes: {prio: urgency}\n" + EVENT, 6, "attributes.prio", "is no attribute", "did you mean 'priority'?"),
        ("attributes: {team: {column: a, constant: b}}\n" + EVENT, 6, "attributes.team", "has column and constant",
         "exactly one"),
        ("attributes: {team: {previous: true}}\n" + EVENT, 6, "attributes.team", "no source", "exactly one"),
        ("attributes: {team: {column: a, previous: true}}\n" + EVENT, 6, "attributes.team.previous", "row before",
         "group"),
        ("attributes: {team: {constant: 3}}\n" + EVENT, 6, "attributes.team.constant", "must be str", ""),
        ("attributes: {team: {duration: {from: a, to: b}}}\n" + EVENT, 6, "attributes.team", "is no number", "times"),
        ("events: [{type: opened, at: {columns: at, formats: yyyy-mm-dd}}]\n", 6, "events[0].at.formats",
         "is no time format", "known"),
        ("events: [{type: opened, at: {columns: at, formats: rfc339}}]\n", 6, "events[0].at.formats",
         "is no time format", "did you mean 'rfc3339'?"),
        ("events: [{type: opened, at: {columns: at, zone: Europe/Berlln}}]\n", 6, "events[0].at.zone",
         "is no time zone", "Europe/Berlin"),
        ("events: [{type: opened, at: at, id: same}]\n", 6, "events[0].id", "names no column", "braces"),
        ('events: [{type: opened, at: at, id: "{type}"}]\n', 6, "events[0].id", "is not unique", "subject_id"),
        ('events: [{type: opened, at: at, id: "{number"}]\n', 6, "events[0].id", "is no template", "braces"),
        ('events: [{type: opened, at: at, id: "{}"}]\n', 6, "events[0].id", "empty braces", "braces"),
        ("reject: [{reason: bad_time, when: {a: b}}]\n" + EVENT, 6, "reject[0].reason", "of our own", "another word"),
        ("times: {t: [a, b]}\nreject: [{reason: r, when: {t: x}}]\n" + EVENT, 7, "reject[0].when.t",
         "no column", "before"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_its_path_and_a_hint(text, line, path, message, hint):
    found, (mistake, *_) = read(HEAD + text)

    assert found is None
    assert (mistake.line, mistake.path) == (line, path)
    assert message in mistake.message
    assert hint in mistake.hint


def test_a_pattern_without_an_offset_needs_a_zone():
    head = HEAD.replace(", zone: Europe/Berlin", "")

    found, (mistake,) = read(head + EVENT)

    assert found is None
    assert (mistake.path, mistake.hint) == ("time.formats", "add zone: Europe/Berlin, say")


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(HEAD + "attributes: {prio: a}\nevents: [{type: open, at: at, rows: later}]\n")

    with pytest.raises(ConfigError) as caught:
        load_mapping(file)

    assert {mistake.path for mistake in caught.value.mistakes} == {
        "attributes.prio",
        "events[0].type",
        "events[0].rows",
    }
    assert {mistake.file for mistake in caught.value.mistakes} == {str(file)}


@pytest.mark.parametrize("text", ["", HEAD + EVENT + "---\n" + HEAD + EVENT])
def test_a_file_holds_one_mapping(tmp_path, text):
    file = tmp_path / "m.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match="one file, one mapping"):
        load_mapping(file)


def test_the_columns_that_a_mapping_names_are_known():
    of = mapping("""
        times: {begun: [day, clock]}
        sequence: n
        group: {by: [g], order: [o]}
        where: {w: x}
        reject: [{reason: r, when: {begun: {before: later}}}]
        attributes: {team: t, hold_ms: {duration: {from: a, to: b}}, starts_at_ms: {time: s}}
        events: [{type: opened, at: begun, each: list, id: "{subject_id}{each}{i}{sequence}", when: {each: x, c: y}}]
    """)

    assert columns_of(of) == set("ngowtabsic") | {"number", "day", "clock", "later", "list"}


@pytest.mark.parametrize(
    ("text", "line", "path", "hint"),
    [
        ("group: {by: [number]}\n" + EVENT, 6, "group", "same_as and differs_from"),
        ("file: {format: csv}\n" + EVENT, 6, "file", "JSON objects in UTF-8"),
        ("file: {encoding: latin-1}\n" + EVENT, 6, "file", "JSON objects in UTF-8"),
    ],
)
def test_what_needs_a_whole_file_is_refused_in_front_of_a_topic_and_taken_for_files(tmp_path, text, line, path, hint):
    file = tmp_path / "m.yaml"
    file.write_text(HEAD + text)

    assert load_mapping(file).name == "test"
    with pytest.raises(ConfigError) as caught:
        load_mapping(file, live=True)

    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.path) == (str(file), line, path)
    assert hint in mistake.hint


def test_a_mapping_without_memory_may_stand_in_front_of_a_topic(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(HEAD + "file: {format: jsonl, encoding: UTF8}\n" + EVENT)

    assert load_mapping(file, live=True).name == "test"


def test_a_column_may_have_any_name_also_one_that_an_event_has():
    """In a header, "type" and "time_ms" are columns like others; only in an id they are the event's own."""
    of = mapping(
        """
        sequence: sequence
        attributes: {category: type, team: time_ms, agent: each, issue: repetition}
        events: [{type: opened, at: at, id: "{type}:{.type}:{.sequence}"}]
        """,
        HEAD.replace("{number}", "{subject_id}"),
    )

    assert columns_of(of) == {"subject_id", "type", "time_ms", "sequence", "each", "repetition", "at"}
