"""The law of foreign texts: no command prints what a terminal would obey, whoever wrote it into a topic."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import orjson
import pytest

from monitor.cli.terminal.log import log_to_stderr
from monitor.cli.terminal.output import Output
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.read_model.topics import Outgoing
from monitor.stream.agents.books import agreement_key
from monitor.wire.announcements import encode_alert, encode_statement, encode_status
from monitor.wire.deadletters import encode_dead_letter
from monitor.wire.events import decode
from monitor.wire.visible import for_terminal, json_for_terminal
from tests.cli.commands.test_explain import given_a_ticket
from tests.cli.commands.test_replay import MAPPING
from tests.cli.conftest import AGREEMENT, Kafka, Run
from tests.cli.every_command import COMMANDS, arguments_of

AT_MS = 1_767_603_600_000
HOSTILE = "T\x1b]0;pwned\x07\x1b[2J\x9b31m\x7f\x85\u2028\u202e17\u2066\u200b\ufeff"
DECODED_WRONGLY = "M\x81ller\x9b31m\x85\u2028\u202egpj\u2066"
"""No ASCII control is in it: no event brings one."""
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def hostile_records() -> list[Outgoing]:
    key = AlertKey("ticket", HOSTILE, "desk", HOSTILE, 1)
    alert = Alert(HOSTILE, key, "breached", AT_MS, HOSTILE, 1, {"customer": HOSTILE}, AT_MS, AT_MS, 1, 1)
    alert = alert._replace(details=(("agent", HOSTILE), ("customer", HOSTILE)))
    figure = Figure("compliance", 0.9, 9, 10, "ratio", HOSTILE)
    verdict = ObjectiveVerdict(HOSTILE, "compliance", ">=", 0.95, None, 0.9, 10, 1, "breached")
    series = SeriesKey("desk", HOSTILE, (HOSTILE,))
    labels = {"customer": HOSTILE}
    status = WindowStatus(
        series, labels, "month", AT_MS, AT_MS + 1, AT_MS + 2, 1, (figure,), (verdict,), {"open": 1}, closed=False
    )
    document = {"agreement": HOSTILE, "name": HOSTILE, "version": 1}
    foreign = orjson.dumps({"type": HOSTILE, "data": {HOSTILE: HOSTILE}})
    found = [
        Outgoing("alerts", *encode_alert(alert, HOSTILE)),
        Outgoing("status", *encode_status(status, HOSTILE)),
        Outgoing("statements", *encode_statement(status._replace(closed=True), HOSTILE)),
        Outgoing("agreements", agreement_key("x", 1), orjson.dumps(document), partition=0),
    ]
    topics = ("alerts", "status", "statements", "deliveries", "dead-letters")
    for topic in (*topics, "responses", "agreements"):
        partition = 0 if topic in ("responses", "agreements") else None
        found += [
            Outgoing(topic, HOSTILE.encode(), value, partition=partition)
            for value in (foreign, HOSTILE.encode(), b"\xff\x1b[2J", b"{}")
        ]
    letter = encode_dead_letter(
        "x", 1, 2, "bad_id", HOSTILE, HOSTILE.encode(), HOSTILE.encode(), [(HOSTILE, b"\x1b[2J")]
    )
    found.append(Outgoing("dead-letters", *letter))
    return found


def test_no_command_prints_what_a_terminal_obeys(run: Run, kafka: Kafka, tmp_path: Path):
    kafka.send(*hostile_records())
    for path, command in COMMANDS.items():
        for form in ([], ["--json"]):
            if form and not any("--json" in parameter.opts for parameter in command.params):
                continue
            result = run(*path, *arguments_of(command, tmp_path), *form, answer="\n")
            found = OBEYED.search(result.output)
            assert found is None, f"{path} {form}: {result.output[max(0, found.start() - 80) :][:200]!r}"
    shown = run("dead-letters", "show", "x/1/2").output
    assert not OBEYED.search(shown)
    assert r"\u202e17" in shown
    for what in ("alerts", "status", "statements"):
        for form in ((), ("--json",)):
            shown = run("tail", what, "--no-follow", *form).output
            assert not OBEYED.search(shown)
            assert r"\u202e17" in shown, "it was there to be seen"


def test_attributes_are_kept_and_no_command_shows_them_raw(run: Run, kafka: Kafka, folder: Path):
    """Given a customer whose name was decoded wrongly, then what is promised to it is watched, and shown escaped."""
    desk = folder / "desk.yaml"
    desk.write_text(AGREEMENT.replace("metric: resolution\n", "metric: resolution\n    by: [customer]\n"))
    given_a_ticket(
        kafka, run, folder,
        ("08:00", "opened", {"priority": "P1", "customer": DECODED_WRONGLY}),
        ("09:00", "paused", {"reason": DECODED_WRONGLY}),
        ("10:00", "resumed", {"reason": DECODED_WRONGLY}),
    )  # fmt: skip
    for form in ((), ("--json",)):
        shown = run("explain", "ticket", "T-1", "--at", "2026-01-05T12:00:00Z", *form).output
        assert not OBEYED.search(shown)
        assert re.search(r"M\\(x81|u0081)ller", shown), "it was there to be seen"

    work = folder / "work"
    work.mkdir()
    opened, resolved = "2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z"
    (work / "mapping.yaml").write_text(MAPPING.replace("{constant: Finance}", "who"))
    row = {"number": "T-1", "priority": "P1", "who": DECODED_WRONGLY, "opened": opened, "resolved": resolved}
    (work / "rows.jsonl").write_bytes(orjson.dumps(row) + b"\n")
    for form in ((), ("--json", "-")):
        replayed = run(
            "replay", work / "rows.jsonl", "--mapping", work / "mapping.yaml", "--agreements", desk, *form
        )  # fmt: skip
        assert replayed.exit_code == 0
        assert not OBEYED.search(replayed.output)
    assert {one["labels"]["customer"] for one in orjson.loads(replayed.stdout)["figures"]} == {DECODED_WRONGLY}

    event = {"id": "e", "type": "opened", "time": opened, "ticket": "T-1", "customer": DECODED_WRONGLY}
    kafka.send(Outgoing("tickets", b"T-1", orjson.dumps(event)))
    (one,) = kafka.read("tickets")
    assert decode("ticket", one.key, one.value).fact.attributes["customer"] == DECODED_WRONGLY


def test_machines_read_what_was_written(run: Run, kafka: Kafka):
    kafka.send(*hostile_records())
    lines = run("tail", "alerts", "--no-follow", "--json").stdout.splitlines()

    ours = [one for line in lines if line.startswith('{"specversion"') for one in [orjson.loads(line)]]
    assert [one["data"]["what"] if "what" in one["data"] else one["data"]["subject_id"] for one in ours] == [HOSTILE]


def test_what_is_escaped_in_json_means_the_same():
    for text in (HOSTILE, "Zoë \xa0 😀", "\U000e0001\U0001f468\u200d\U0001f469", '"\\u202e"'):
        line = orjson.dumps({"text": text})
        assert orjson.loads(json_for_terminal(line)) == {"text": text}
        assert not OBEYED.search(json_for_terminal(line).decode())
    assert json_for_terminal(b'{\n"a":\t1}') == b'{ "a": 1}'


def test_what_people_need_is_shown_as_it_is():
    for text in ("Zoë\xa0Müller", "数据", "\u0627\u0644", "😀", "two\nlines\tand a tab"):
        assert for_terminal(text) == text


def test_a_table_shows_them_escaped(capsys: pytest.CaptureFixture[str]):
    out = Output()
    out.table(("a", HOSTILE), [("x", HOSTILE)], title=HOSTILE)
    out.say(HOSTILE)
    out.note(HOSTILE)
    printed = capsys.readouterr()

    assert not OBEYED.search(printed.out + printed.err)
    assert printed.out.count(r"\u202e17") == 4


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_of_the_log_is_one_that_a_terminal_can_show(as_json, capfd: pytest.CaptureFixture[str]):
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        written = log_to_stderr(logging.INFO, as_json=as_json)
        logging.getLogger("tests.foreign").warning("about %s", HOSTILE)
        written()
    finally:
        logging.root.handlers, logging.root.level = handlers, level
    told = capfd.readouterr().err

    assert r"\u202e17" in told
    assert not OBEYED.search(told)
