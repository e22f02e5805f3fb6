"""``status``: what is promised, what became of it, and what is at risk now with the time that is left."""

from __future__ import annotations

import signal
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
from aiokafka.structs import ConsumerRecord
from rich.console import Console

from monitor.cli.commands.status import picture
from monitor.config.settings.settings import TopicSettings
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.read_model.overview import Overview, Seen
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import encode_alert, encode_status
from tests.cli.conftest import AGREEMENT, Kafka, Run, lines
from tests.cli.processes import process, stop
from tests.zones import readers_zone

NOW = 1_767_610_800_000  # 2026-01-05T11:00:00Z
MINUTE = 60_000


def alert(
    what: str, state: str, *, due_ms: int = NOW, agreement: str = "desk", promise: str = "resolution", **more: Any
) -> Alert:
    kind = more.pop("kind", "ticket")
    return Alert(
        f"{what}-{state}", AlertKey(kind, what, agreement, promise, 1), state, NOW - 5 * MINUTE, "due", 1,
        {}, start_ms=NOW - 240 * MINUTE, due_ms=due_ms, budget_ms=240 * MINUTE, elapsed_ms=235 * MINUTE,
        **{"details": (("priority", "P1"),), **more},
    )  # fmt: skip


def status(verdict: str, *, objective: str = "in-time", agreement: str = "desk", as_of_ms: int = NOW) -> WindowStatus:
    of = ObjectiveVerdict(objective, "compliance", ">=", 0.9, 0.92, 0.895 if verdict == "breached" else 0.99, 40, 1,
                          verdict)  # fmt: skip
    return WindowStatus(
        SeriesKey(agreement, "resolution", (verdict,)), {"priority": verdict.upper()}, "24h", NOW - 1440 * MINUTE, NOW,
        as_of_ms, 1, (), (of,), {"open": 3},
    )  # fmt: skip


def record(topic: str, key: bytes, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(topic, 0, 0, 0, 0, key, value, None, len(key), len(value or b""), ())


def alerts(*found: Alert) -> list[ConsumerRecord]:
    return [record("alerts", *encode_alert(one, "test")) for one in found]


def statuses(*found: WindowStatus) -> list[ConsumerRecord]:
    return [record("status", *encode_status(one, "test")) for one in found]


def agreement(text: str = AGREEMENT) -> bytes:
    import yaml  # noqa: PLC0415 - here only

    return orjson.dumps(
        yaml.safe_load(text.replace("2024-01-01", "'2024-01-01'").replace("2023-12-01", "'2023-12-01'"))
    )


def seen(*records: ConsumerRecord) -> Seen:
    found = Seen(TopicSettings())
    found.take(records)
    return found


def shown(found: Overview, limit: int | None = None) -> str:
    text = StringIO()
    Console(width=200, markup=False, highlight=False, file=text).print(picture(found, limit))
    return text.getvalue()


# ---- what was read becomes what is shown


def test_an_alert_is_out_from_at_risk_to_its_end_and_its_newest_state_counts():
    found = seen(*alerts(
        alert("T-1", "at_risk"), alert("T-2", "at_risk"), alert("T-3", "at_risk"), alert("T-4", "breached"),
        alert("T-2", "breached"), alert("T-3", "rearmed"), alert("T-4", "resolved"),
    )).overview(NOW)  # fmt: skip
    assert [(one.alert.key.what, one.alert.state) for one in found.out] == [("T-2", "breached"), ("T-1", "at_risk")]
    assert (found.breached, found.at_risk) == (1, 1)


def test_the_worst_comes_first_broken_ones_by_how_late_they_are_then_by_the_time_that_is_left():
    found = seen(*alerts(
        alert("soon", "at_risk", due_ms=NOW + 5 * MINUTE), alert("late", "breached", due_ms=NOW - 5 * MINUTE),
        alert("later", "at_risk", due_ms=NOW + 90 * MINUTE), alert("latest", "breached", due_ms=NOW - 90 * MINUTE),
    )).overview(NOW)  # fmt: skip
    assert [(one.alert.key.what, one.remaining_ms) for one in found.out] == [
        ("latest", -90 * MINUTE), ("late", -5 * MINUTE), ("soon", 5 * MINUTE), ("later", 90 * MINUTE),
    ]  # fmt: skip
    rows = [" ".join(line.split()) for line in shown(found).splitlines() if "ticket" in line]
    assert [row.partition(" 2026")[0] for row in rows] == [
        "broken ticket latest desk resolution 1 h 30 min late",
        "broken ticket late desk resolution 5 min late",
        "at risk ticket soon desk resolution 5 min",
        "at risk ticket later desk resolution 1 h 30 min",
    ]


def test_a_target_is_said_by_the_level_that_says_it_where_a_level_overrides_nothing_but_one_target():
    """The priority of an alert is one of its details: it may change during the alert's life, labels do not."""
    corporate = AGREEMENT.replace("agreement: desk", "agreement: everybody\nlevel: corporate").replace(
        "form: customer", "form: multi-level"
    )
    own = orjson.dumps(
        orjson.loads(agreement(corporate.partition("clocks:")[0]))
        | {"agreement": "desk", "level": "customer", "under": "everybody"}
        | {"clocks": [{"id": "resolution", "targets": {"P1": "1h"}}]}
    )
    found = seen(
        record("agreements", b"everybody/1", agreement(corporate)), record("agreements", b"desk/1", own),
        *alerts(
            alert("urgent", "at_risk"), alert("usual", "at_risk", details=(("priority", "P3"),)),
            alert("unknown", "at_risk", details=()),
        ),
    ).overview(NOW)  # fmt: skip

    said = {one.alert.key.what: found.origin_of(one) for one in found.out}
    assert {what: origin.agreement for what, origin in said.items()} == {
        "urgent": "desk", "usual": "everybody", "unknown": "everybody",
    }  # fmt: skip
    rows = {line.split()[3]: line.split()[-2] for line in shown(found).splitlines() if "ticket" in line}
    assert rows == {"urgent": "desk", "usual": "everybody", "unknown": "everybody"}


def test_objectives_are_told_worst_first_with_a_value_that_reads_differently_from_its_target():
    found = seen(*statuses(*[status(one) for one in ("met", "on_track", "no_data", "at_risk", "breached")])).overview(
        NOW
    )
    assert [one.verdict.verdict for one in found.lines] == ["breached", "at_risk", "no_data", "on_track", "met"]
    assert found.lines[0].figures == ("89.5 %", ">= 90 %")
    assert (found.breached, found.at_risk) == (1, 1)
    assert "priority BREACHED" in shown(found)


def test_an_objective_that_is_broken_counts_once_though_there_is_an_alert_of_it_too():
    of_objective = alert("prio|24h", "breached", kind="objective", promise="in-time", due_ms=None)
    found = seen(*statuses(status("breached")), *alerts(of_objective)).overview(NOW)
    assert found.breached == 1
    assert found.out[0].remaining_ms is None


def test_a_status_that_was_taken_back_is_gone():
    key, _ = encode_status(status("breached"), "test")
    assert seen(*statuses(status("breached")), record("status", key, None)).overview(NOW).lines == ()


def test_one_agreement_can_be_looked_at_alone():
    found = seen(
        *alerts(alert("T-1", "breached"), alert("T-2", "breached", agreement="other")),
        *statuses(status("met"), status("met", agreement="other")),
        record("agreements", b"desk/1", agreement()),
        record("agreements", b"other/1", agreement(AGREEMENT.replace("agreement: desk", "agreement: other"))),
    ).overview(NOW, "other")
    assert [one.id for one in found.agreements] == ["other"]
    assert [one.alert.key.what for one in found.out] == ["T-2"]
    assert [one.status.series.agreement for one in found.lines] == ["other"]


def test_of_an_agreement_the_version_that_holds_is_told_also_if_another_is_to_come():
    second = AGREEMENT.replace("version: 1", "version: 2").replace("valid_from: 2024-01-01", "valid_from: 2030-01-01")
    taken = seen(record("agreements", b"desk/1", agreement()), record("agreements", b"desk/2", agreement(
        second.replace("2030-01-01", "'2030-01-01'"))))  # fmt: skip
    assert [one.version for one in taken.overview(NOW).agreements] == [1]
    assert [one.version for one in taken.overview(1_900_000_000_000).agreements] == [2]


def test_long_tables_are_cut_and_say_so():
    found = seen(*alerts(*[alert(f"T-{n}", "at_risk") for n in range(30)])).overview(NOW)
    assert "… and 10 more: --all" in shown(found, 20)
    assert "more" not in shown(found)


def test_it_says_when_nothing_is_promised_or_nobody_judges():
    promised = record("agreements", b"desk/1", agreement())
    assert "Nothing is promised" in shown(seen().overview(NOW))
    assert "does a worker run?" in shown(seen(promised).overview(NOW))
    old = status("met", as_of_ms=NOW - 25 * MINUTE)
    assert "judged last 25 min ago" in shown(seen(promised, *statuses(old)).overview(NOW))


def test_a_record_that_is_none_of_ours_is_counted_and_hides_nothing():
    found = seen(record("alerts", b"k", b"{"), record("agreements", b"k", b"x"), *alerts(alert("T-1", "breached")))
    assert found.unreadable == 2
    assert len(found.overview(NOW).out) == 1


# ---- the command


def publish(kafka: Kafka, *alerts: Alert) -> None:
    kafka.send(
        Outgoing("agreements", b"desk/1", agreement()),
        Outgoing("status", *encode_status(status("on_track", as_of_ms=wall_ms()), "test")),
        *[Outgoing("alerts", *encode_alert(one, "test")) for one in alerts],
    )


def test_it_is_exit_code_3_while_a_promise_is_broken_and_0_when_all_is_kept(kafka: Kafka, run: Run):
    publish(kafka, alert("T-1", "breached", due_ms=wall_ms() - 5 * MINUTE))
    broken = run("status")
    assert broken.exit_code == 3
    assert "1 broken" in broken.stdout
    assert "ticket T-1" in broken.stdout
    assert "The [desk]" not in broken.stdout
    assert run("status", "--agreement", "other").exit_code == 0

    publish(kafka, alert("T-1", "resolved"))
    kept = run("status", "--json")
    assert kept.exit_code == 0
    (told,) = lines(kept)
    assert (told["breached"], told["at_risk"], told["alerts"]) == (0, 0, [])
    assert [(one["agreement"], one["customer"]) for one in told["agreements"]] == [("desk", "Finance")]
    assert [(one["objective"], one["verdict"]) for one in told["objectives"]] == [("in-time", "on_track")]


def test_the_time_that_is_left_is_told_to_machines_in_milliseconds(kafka: Kafka, run: Run):
    publish(kafka, alert("T-1", "at_risk", due_ms=wall_ms() + 30 * MINUTE))
    result = run("status", "--json")
    assert result.exit_code == 0
    ((one,),) = [line["alerts"] for line in lines(result)]
    assert 29 * MINUTE < one["remaining_ms"] <= 30 * MINUTE
    assert (one["kind"], one["what"], one["state"], one["labels"]) == ("ticket", "T-1", "at_risk", {"priority": "P1"})


def test_while_it_watches_each_change_is_told_once(kafka: Kafka, tmp_path: Path):
    publish(kafka)
    with process("status", "--watch", "--json", environment=kafka.environment, folder=tmp_path) as watching:
        assert watching.stdout is not None
        assert orjson.loads(watching.stdout.readline())["breached"] == 0
        publish(kafka, alert("T-1", "breached"))
        assert orjson.loads(watching.stdout.readline())["breached"] == 1
        code, out, err = stop(watching, signal.SIGINT)
    assert (code, out, err) == (0, "", "")


def test_watching_for_a_while_ends_by_itself(kafka: Kafka, run: Run):
    publish(kafka)
    result = run("status", "--for", "1.5")
    assert result.exit_code == 0
    assert result.stdout.count("broken") == 1


def test_colours_respect_no_color(kafka: Kafka, run: Run):
    publish(kafka, alert("T-1", "breached"))
    for no_color in ("", "1"):
        result = run("status", env={"FORCE_COLOR": "1", "NO_COLOR": no_color, "TERM": "xterm-256color"})
        assert ("31m" in result.stdout) == (not no_color)


def test_times_are_the_readers_and_what_is_late_for_days_says_so():
    found = seen(*alerts(alert("T-1", "breached", due_ms=NOW - 83 * 60 * MINUTE)), *statuses(status("met")),
                 record("agreements", b"desk/1", agreement())).overview(NOW + 3 * 1440 * MINUTE)  # fmt: skip
    with readers_zone("America/New_York"):
        said = " ".join(shown(found).split())
    assert said.startswith("as of 2026-01-08 06:00:00 EST 1 broken")
    assert "judged last 3 d ago" in said
    assert "6 d 11 h late 2026-01-01 19:00 EST" in said
