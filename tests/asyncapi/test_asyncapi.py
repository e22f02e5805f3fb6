"""``schema asyncapi``: the document is the plan of topics and the schemas that hold, and AsyncAPI's parser takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import orjson
import pytest
from click.testing import CliRunner

from monitor.asyncapi import asyncapi_document
from monitor.cli.root import root
from monitor.config.settings.settings import Settings, load_settings
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.facts.events import SUBJECTS
from monitor.installation import TOPIC_OF, topic_plan
from monitor.wire.announcements import announcement_schema, encode_alert
from monitor.wire.deadletters import LETTER_HEADERS, encode_dead_letter
from monitor.wire.events import cloudevent_schema, event_schema
from monitor.wire.markers import REAL_TIME, encode_clock_marker
from monitor.wire.responses import Acknowledgement, encode_response

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OPAQUE = {"partial", "row", "dead-letter", "foreign"}
"""Messages whose values no JSON schema describes."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """An installation with other names than usual, several brokers and a topic of others."""
    file = tmp_path_factory.mktemp("settings") / "monitor.yaml"
    file.write_text(
        "app_id: watch\n"
        "bootstrap: one:9092,two:9092\n"
        "topics: {partitions: 12, replication: 3, alerts: sla.alerts}\n"
        f"sources: [{{topic: hooks, mapping: {ROOT / 'deploy' / 'mappings' / 'jira.yaml'}, partitions: 5}}]\n"
    )
    return load_settings(file, {})


@pytest.fixture(scope="module")
def document(settings):
    return asyncapi_document(settings)


@pytest.fixture(scope="module")
def usual():
    return asyncapi_document(Settings())


def payload(document, message):
    """Return the schema of a message's value, with what it refers to."""
    return document["components"]["messages"][message]["payload"] | {"components": document["components"]}


def accepts(document, message, value):
    schema = payload(document, message)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid(orjson.loads(value))


def test_its_channels_are_the_topics_of_the_plan_with_their_shape(document, settings):
    plan = {spec.name: spec for spec in topic_plan(settings)}
    assert list(document["channels"]) == list(plan)
    for name, channel in document["channels"].items():
        spec, binding = plan[name], channel["bindings"]["kafka"]
        assert (channel["address"], binding["topic"], binding["partitions"]) == (name, name, spec.partitions)
        assert channel["messages"]
        assert channel["description"]
        if spec.foreign:  # its owner's affair
            assert not binding.keys() & {"replicas", "topicConfiguration"}
            continue
        configuration = binding["topicConfiguration"]
        assert binding["replicas"] == 3
        assert configuration.pop("cleanup.policy") == [spec.cleanup]
        assert {one: str(value) for one, value in configuration.items()} == {
            one: value for one, value in spec.all_config.items() if one != "cleanup.policy"
        }


def test_what_may_change_with_any_release_is_marked(document):
    marked = {name for name, one in document["channels"].items() if "tags" in one}
    states = {name for name in document["channels"] if name.startswith("watch-")}
    assert marked == {"partials", "markers"} | states
    assert len(states) == 7  # of events, partials, alerts and the topic of others


def test_it_says_where_the_key_does_not_decide_the_partition(document):
    said = {name for name, one in document["channels"].items() if "The agreement's id decides" in one["description"]}
    assert said == {"partials", "sla.alerts"}


def test_it_tells_who_sends_and_who_receives(document):
    done = {(one["action"], one["channel"]["$ref"]) for one in document["operations"].values()}
    for action, topic in [("receive", "tickets"), ("send", "tickets"), ("receive", "hooks"), ("send", "sla.alerts"),
                          ("send", "status"), ("receive", "agreements")]:  # fmt: skip
        assert (action, f"#/channels/{topic}") in done
    for action, topic in [("send", "calls"), ("receive", "status"), ("send", "agreements"), ("send", "hooks")]:
        assert (action, f"#/channels/{topic}") not in done


def test_every_message_has_a_key_a_channel_and_its_schema(document):
    messages = document["components"]["messages"]
    shown = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert shown == set(messages)
    for name, message in messages.items():
        assert message["bindings"]["kafka"]["key"]["description"]
        assert message["summary"]
        jsonschema.Draft202012Validator.check_schema(payload(document, name))
        assert (message["contentType"] in ("application/msgpack", "application/octet-stream")) == (name in OPAQUE)


@pytest.mark.parametrize(
    ("topic", "kind"),
    [("alerts", "alert"), ("status", "status"), ("statements", "statement"), ("deliveries", "delivery")],
)
def test_the_schemas_are_those_that_the_command_prints_for_a_topic_alone(usual, topic, kind):
    printed = orjson.loads(orjson.dumps(announcement_schema(kind)).replace(b"#/$defs/", b"#/components/schemas/"))
    schemas = orjson.loads(orjson.dumps(usual["components"]["schemas"]))
    assert list(usual["channels"][topic]["messages"]) == [kind]
    assert usual["components"]["messages"][kind]["payload"] == {"$ref": printed["$ref"]}
    assert {name: schemas[name] for name in printed["$defs"]} == printed["$defs"]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_events_have_their_three_forms(usual, subject):
    schemas, messages = usual["components"]["schemas"], usual["components"]["messages"]
    assert list(usual["channels"][TOPIC_OF[subject]]["messages"]) == [
        subject, f"{subject}-cloudevent", f"{subject}-cloudevent-binary"
    ]  # fmt: skip
    for name, printed in (
        (f"{subject}-event", event_schema(subject)),
        (f"{subject}-cloudevent", cloudevent_schema(subject)),
    ):
        assert schemas[name] == {one: value for one, value in printed.items() if not one.startswith("$")}
    binary = messages[f"{subject}-cloudevent-binary"]
    assert {f"ce_{one}" for one in ("id", "type", "source", "subject", "time", "specversion")} == set(
        binary["headers"]["required"]
    )


def test_what_is_written_is_what_it_describes(usual):
    alert = Alert("0" * 32, AlertKey("ticket", "T-1", "desk", "resolution", 1), "breached", 1, "due", 1, {})
    _, told = encode_alert(alert, "test")
    _, acknowledged = encode_response(Acknowledgement(target="T-1", at_ms=1))
    _, clock = encode_clock_marker(REAL_TIME)
    assert accepts(usual, "alert", told)
    assert accepts(usual, "acknowledgement", acknowledged)
    assert accepts(usual, "clock-marker", clock)
    assert accepts(usual, "agreement", b'{"agreement": "desk", "version": 1, "valid_from": "2026-01-01"}')
    assert not accepts(usual, "status", told)
    assert not accepts(usual, "silence", acknowledged)
    assert not accepts(usual, "agreement", b'{"agreement": "desk", "version": 1, "valid_from": "2026-01-01", "x": 1}')


def test_a_dead_letter_has_the_headers_that_are_told_and_no_other():
    for key, value in ((None, b"x"), (b"k", b"xx")):
        *_, headers = encode_dead_letter("tickets", 0, 1, "bad_json", "", key, value, max_bytes=1)
        sent = {name for name, _ in headers}
        assert {name for name, (_, is_always) in LETTER_HEADERS.items() if is_always} <= sent <= set(LETTER_HEADERS)
    assert sent == set(LETTER_HEADERS)


def test_the_keys_are_those_of_the_readme(usual):
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| topic | key | content |")[2]
    rows = re.findall(r"^\| ((?:`[\w-]+` ?)+) \| ([^|]+) \| [^|]+ \|$", table.partition("\n\n")[0], re.MULTILINE)
    told = {topic: key for topics, key in rows for topic in re.findall(r"`([\w-]+)`", topics)}
    messages = usual["components"]["messages"]

    keys = {}
    for topic, channel in usual["channels"].items():
        (keys[topic],) = {messages[one]["bindings"]["kafka"]["key"]["description"] for one in channel["messages"]}

    for subject in SUBJECTS:
        assert told.pop(TOPIC_OF[subject]) == "subject id"
        assert keys.pop(TOPIC_OF[subject]) == f"{subject} id"
    assert told == {topic: key for topic, key in keys.items() if topic in told}
    assert {topic for topic in keys if not topic.startswith("sla-monitor-")} - set(told) == {"partials"}


def test_the_command_prints_it_of_the_settings_that_are_named(tmp_path):
    file = tmp_path / "monitor.yaml"
    file.write_text("topics: {tickets: desk-tickets}\n")
    done = CliRunner().invoke(root, ["schema", "asyncapi", "--settings", str(file)])
    assert orjson.loads(done.stdout) == orjson.loads(orjson.dumps(asyncapi_document(load_settings(file, {}))))
    assert "desk-tickets" in orjson.loads(done.stdout)["channels"]
    assert CliRunner().invoke(root, ["schema", "alerts", "--settings", str(file)]).exit_code == 2


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    """AsyncAPI's official parser, in the version that is locked here; none of its scripts is run."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node with npm on this machine, so AsyncAPI's parser cannot be asked")
    folder = tmp_path_factory.mktemp("parser")
    for name in ("package.json", "package-lock.json", "check.mjs"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install AsyncAPI's parser within 5 minutes")
    if installed.returncode:
        pytest.skip(f"npm could not install AsyncAPI's parser: {installed.stderr.strip().splitlines()[:1]}")

    def parse(document):
        file = folder / "document.json"
        file.write_bytes(orjson.dumps(document))
        return subprocess.run(
            [node, "check.mjs", str(file)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )

    return parse


def test_the_official_parser_takes_it(parser, usual, document):
    for one in (usual, document):
        done = parser(one)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_official_parser_would_not_take_another_one(parser, usual):
    wrong = orjson.loads(orjson.dumps(usual))
    wrong["channels"]["tickets"]["bindings"]["kafka"]["partitions"] = "many"
    wrong["operations"]["send-alerts"]["channel"]["$ref"] = "#/channels/nowhere"
    done = parser(wrong)
    assert done.returncode == 1
    assert "partitions" in done.stdout
    assert "nowhere" in done.stdout
