"""``agreements show``, and what ``status``, ``check`` and ``apply`` tell of levels, overlaps and terms."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from rich.console import Console

from monitor.cli.commands.status import picture
from monitor.config.agreements.checking import parse_agreement, read_documents
from monitor.config.settings.settings import TopicSettings
from monitor.read_model.overview import Seen
from monitor.read_model.terms import term_text
from monitor.wire.announcements import encode_alert, encode_status
from tests.cli.commands.test_status import NOW, alert, status
from tests.cli.conftest import Kafka, Run, lines

PROMISES = Path(__file__).parents[3] / "deploy" / "promises"
LEVELS, TERM = PROMISES / "multi-level.yaml", PROMISES / "term.yaml"
DAY_MS = 86_400_000


@pytest.mark.usefixtures("kafka")
def test_an_effective_agreement_is_shown_with_who_says_each_value(run: Run):
    run("agreements", "apply", LEVELS, "--yes")
    told = run("agreements", "show", "acme").stdout
    assert "acme version 1: Support for ACME (accepted" in told
    (p1,) = [line for line in told.splitlines() if "targets.P1" in line]
    (others,) = [line for line in told.splitlines() if "targets.*" in line]
    assert p1.split() == ["clocks.solved.targets.P1", "2h", "acme", "v1", "(customer", "level)"]
    assert others.split() == ["clocks.solved.targets.*", "8h", "everybody", "v1", "(corporate", "level)"]

    (found,) = lines(run("agreements", "show", "acme", "--json"))
    assert (found["agreement"], found["lineage"], found["term"]) == ("acme", ["everybody"], None)
    assert found["document"]["clocks"][0]["targets"] == {"P1": "2h", "*": "8h"}
    (target,) = [one for one in found["values"] if one["path"] == "clocks.solved.targets.P1"]
    assert target["origin"] == {"agreement": "acme", "version": 1, "level": "customer"}


@pytest.mark.usefixtures("kafka")
def test_an_agreement_that_is_not_published_is_not_shown(run: Run):
    result = run("agreements", "show", "nobody")
    assert result.exit_code == 1
    assert "no agreement 'nobody' is published" in result.stderr
    run("agreements", "apply", LEVELS, "--yes")
    assert run("agreements", "show", "acme", "--version", "2").exit_code == 1
    assert run("agreements", "show", "acme", "--version", "1").exit_code == 0


@pytest.mark.usefixtures("kafka")
def test_the_term_of_an_agreement_is_shown_and_listed(run: Run):
    run("agreements", "apply", TERM, "--yes")
    (found,) = lines(run("agreements", "show", "term", "--json"))
    (listed,) = lines(run("agreements", "list", "--json"))
    assert found["term"]["end"] == "2028-01-14T23:00:00.000Z"
    assert listed["term"] == found["term"]
    assert "after 2028-01-14" in run("agreements", "show", "term").stdout
    assert "2028-01-14" in run("agreements", "list").stdout


def test_parties_details_and_the_dates_of_reports_are_shown(run: Run, kafka: Kafka):
    kafka.tell_clock(1_775_815_200_000)  # 2026-04-10 10:00
    run("agreements", "apply", PROMISES / "parties.yaml", "--yes")
    told = run("agreements", "show", "parties").stdout
    said = " ".join(told.split())
    assert "Contract between Northern Networks (provider), ACME (customer), Copper & Glass Ltd (supplier)." in said
    assert ["parties.Northern", "Networks.demarcation", "the", "socket"] in [
        line.split()[:4] for line in told.splitlines()
    ]
    assert "stated 2026-04-01 00:15 UTC, was due 2026-04-06 00:00 UTC" in said
    assert "2026-04-01 to 2026-04-30, due 2026-05-06 00:00 UTC" in said

    (found,) = lines(run("agreements", "show", "parties", "--json"))
    assert (found["binding"], [one["role"] for one in found["parties"]]) == (
        "contract", ["provider", "customer", "supplier"],
    )  # fmt: skip
    assert found["service"]["details"]["ports"] == "48"
    (report,) = found["reports"]
    assert (report["to"], report["every"], report["statistics"]) == (["customer"], "month", ["fast-lines", "others"])
    assert report["last"]["due"] == "2026-04-06T00:00:00.000Z"
    assert report["next"] == {
        "from": "2026-04-01T00:00:00.000Z", "to": "2026-05-01T00:00:00.000Z", "stated": "2026-05-01T00:15:00.000Z",
        "due": "2026-05-06T00:00:00.000Z",
    }  # fmt: skip


@pytest.mark.usefixtures("kafka")
def test_an_agreement_without_parties_and_reports_names_its_two_sides(run: Run):
    run("agreements", "apply", TERM, "--yes")
    said = " ".join(run("agreements", "show", "term").stdout.split())
    assert "Agreement between " in said
    assert "(provider), " in said
    (found,) = lines(run("agreements", "show", "term", "--json"))
    assert (found["binding"], found["reports"]) == (None, [])


@pytest.mark.usefixtures("kafka")
def test_an_overlap_is_warned_of_by_check_and_when_it_is_published(run: Run, tmp_path: Path):
    run("agreements", "apply", LEVELS, "--yes")
    other = tmp_path / "zeta.yaml"
    other.write_text(LEVELS.read_text().split("---\n")[1].replace("agreement: acme", "agreement: zeta"))

    result = run("check", LEVELS, other)
    assert result.exit_code == 0
    assert f"warning: {other}:14: covers: zeta version 1 and acme version 1 ({LEVELS}:34) bind" in result.stdout
    result = run("agreements", "apply", other, "--yes")
    assert result.exit_code == 0
    assert "bind the same subjects (customer acme) at the same level: acme wins" in result.stderr


def overview(path: Path, now_ms: int, *more: ConsumerRecord):
    found = Seen(TopicSettings())
    found.take(record("agreements", one.name.encode(), orjson.dumps(one.document)) for one in read_documents(path))
    found.take(more)
    assert found.unreadable == 0
    return found.overview(now_ms)


def record(topic: str, key: bytes, value: bytes) -> ConsumerRecord:
    return ConsumerRecord(topic, 0, 0, 0, 0, key, value, None, len(key), len(value), ())


def drawn(found) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(picture(found, None))
    return console.file.getvalue()


def test_status_tells_which_level_says_a_target():
    found = overview(
        LEVELS, NOW,
        record("status", *encode_status(status("met", objective="solved-in-time", agreement="acme"), "test")),
        record("alerts", *encode_alert(alert("T-1", "breached", agreement="acme", promise="solved"), "test")),
    )  # fmt: skip
    told = found.as_json()
    assert told["objectives"][0]["origin"] == {"agreement": "everybody", "version": 1, "level": "corporate"}
    assert told["alerts"][0]["origin"] == {"agreement": "acme", "version": 1, "level": "customer"}
    assert "said by" in drawn(found)
    assert "everybody v1" in drawn(found)


def test_status_warns_before_the_last_day_for_a_notice_and_before_the_end():
    (document,) = read_documents(TERM)
    given = document.agreement
    end_ms = given.terminates_ms
    assert end_ms is not None
    assert "warning: term ends after 2028-01-14 (in 10 days)" in drawn(overview(TERM, end_ms - 10 * DAY_MS))
    assert "warning" not in drawn(overview(TERM, end_ms - 100 * DAY_MS))
    assert "ended after 2028-01-14" in drawn(overview(TERM, end_ms))

    text = {**document.document, "term": {**document.document["term"]}}
    del text["term"]["notice_given"]
    renewed = parse_agreement(text)
    assert renewed.term is not None
    until_ms = renewed.term.running(NOW).notice_until_ms
    unless = "is renewed after 2027-01-14 unless notice is given by 2026-10-14"
    assert term_text(renewed, until_ms - 2 * DAY_MS) == f"{unless} (in 2 days)"
    assert term_text(renewed, until_ms - 1) == f"{unless} (today)"
    assert term_text(renewed, until_ms) == "is renewed after 2027-01-14: no notice was given"
