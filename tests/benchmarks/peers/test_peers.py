"""The peers' job: what must come out of it, how differences are told, how a tool is run and its speed is computed."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson
import pytest

from monitor.core.series.series import LIVE, Pane, PaneKey, SeriesKey
from monitor.wire.partials import encode_marker
from tests.benchmarks import job, peers
from tests.benchmarks.__main__ import benchmarks
from tests.benchmarks.peers import compare, environments, kafka_streams, running
from tests.benchmarks.peers.place import Peer, Place
from tests.benchmarks.peers.reading import faust_panes, kafka_streams_panes, monitor_panes
from tests.benchmarks.peers.running import Process, Ran, Sample, UnavailableError, WrongError, rate
from tests.benchmarks.peers.work import Outcome, Totals, differences, expected, hash_of, outcome, panes_of, records_of
from tests.benchmarks.runs import ROOT
from tests.partials import encode_partial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR_MS = 3_600_000


def record(ticket: str, kind: str, at_ms: int, customer: str = "acme", priority: str = "P1") -> tuple[bytes, bytes]:
    event = {"ticket": ticket, "type": kind, "time": at_ms, "customer": customer, "priority": priority}
    return ticket.encode(), orjson.dumps(event)


def test_the_expectation_is_late_answers_from_the_target_on_and_the_times_by_customer():
    # P1 has three hours
    records = [
        record("a", "opened", 0),
        record("b", "opened", 0),
        record("c", "opened", 5, "other"),
        record("a", "responded", 3 * HOUR_MS - 1),
        record("b", "responded", 3 * HOUR_MS),
        record("c", "responded", 12, "other"),
    ]

    wanted = expected(records)

    assert wanted == Outcome(
        1,
        hash_of(["b"]),
        0,
        {"acme": Totals(2, 6 * HOUR_MS - 1, 3 * HOUR_MS), "other": Totals(1, 7, 7)},
    )


def test_the_expectation_has_as_many_breaches_as_the_job_says():
    assert expected(job.make(400).records).breaches == job.make(400).breaches > 0


def test_jobs_of_all_sizes_open_as_many_tickets_an_hour():
    spans = []
    for tickets in (300, 3_000):
        opened = [orjson.loads(value) for _, value in records_of(tickets)]
        times = [event["time"] for event in opened if event["type"] == "opened"]
        spans.append((max(times) - min(times)) / tickets)

    assert spans[0] == pytest.approx(spans[1], rel=0.05)


def test_each_wave_of_the_longest_job_has_its_answers():
    share = [orjson.loads(value)["type"] for _, value in records_of(1_000, 5)[:2_000]].count("responded") / 2_000

    assert len(records_of(1_000, 5)) == 10_000
    assert 0.45 < share <= 0.5


def test_panes_of_a_customer_are_added_up_and_repeated_ids_are_counted():
    said = outcome(["b", "a", "b"], [("acme", Totals(2, 30, 20)), ("acme", Totals(1, 25, 25))])

    assert said == Outcome(2, hash_of(["a", "b"]), 1, {"acme": Totals(3, 55, 25)})


def test_a_right_result_differs_in_nothing():
    wanted = expected(records_of(200))

    assert differences(wanted, wanted) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (outcome(["a"], [("acme", Totals(2, 30, 20))]), ["1 breaches of 2"]),
        (outcome(["a", "c"], [("acme", Totals(2, 30, 20))]), ["2 breaches of 2, other ones"]),
        (outcome(["a", "b", "b"], [("acme", Totals(2, 30, 20))]), ["1 breaches announced twice"]),
        (
            outcome(["a", "b"], [("acme", Totals(1, 20, 20))]),
            ["1 answers in its panes of 2", "the panes of 1 customers of 1 differ"],
        ),
        (outcome(["a", "b"], [("acme", Totals(2, 31, 20))]), ["the panes of 1 customers of 1 differ"]),
        (outcome(["a", "b"], [("acme", Totals(2, 30, 21))]), ["the panes of 1 customers of 1 differ"]),
        (outcome(["a", "b"], [("nobody", Totals(2, 30, 20))]), ["the panes of 2 customers of 1 differ"]),
    ],
)
def test_each_difference_is_told(said: Outcome, told: list[str]):
    assert differences(outcome(["a", "b"], [("acme", Totals(2, 30, 20))]), said) == told


def test_panes_that_a_tool_printed_are_read():
    assert panes_of({"acme": [2, 30.0, 20]}) == [("acme", Totals(2, 30, 20))]


def test_panes_of_kafka_streams_are_read_from_the_changelog_of_a_window_store_and_of_a_store_of_keys():
    value = struct.pack(">qqq", 2, 30, 20)
    window = struct.pack(">qi", 1_796_000_000_000, 0)

    assert kafka_streams_panes({(0, b"acme" + window): value}, windowed=True) == [("acme", Totals(2, 30, 20))]
    assert kafka_streams_panes({(0, b"a|b|29933333"): value}, windowed=False) == [("a|b", Totals(2, 30, 20))]


def test_panes_of_stock_faust_are_read_from_its_changelog():
    assert faust_panes({(1, b'["acme/1", [60.0, 119.9]]'): b"[2, 30, 20]"}) == [("acme", Totals(2, 30, 20))]


def test_only_the_one_minute_panes_of_the_monitor_that_have_answers_are_read():
    series = SeriesKey("desk", "response", ("acme",))
    full = Pane({"met": 1, "breached": 1, "elapsed_ms": 30}, {}, {}, {}, {20: 1, 10: 1})
    sent = [
        encode_partial("tickets/0", PaneKey(series, "minute", 60_000), full),
        encode_partial("tickets/0", PaneKey(series, "day", 0), full),
        encode_partial("tickets/0", PaneKey(series, "minute", 120_000), Pane({"overdue_in": 1}, {}, {}, {}, {})),
        encode_partial("tickets/0", PaneKey(series, "live", LIVE), Pane({"open": 1}, {}, {}, {}, {})),
        encode_marker("tickets/0", 1, behind=False),
    ]

    assert monitor_panes({(0, key): value for key, value in sent if value}) == [("acme", Totals(2, 30, 20))]


def test_a_rate_begins_with_the_first_commit_and_knows_the_cpu_of_an_event():
    samples = [Sample(0.0, 0.0, 0), Sample(5.0, 2.0, 100), Sample(6.0, 2.5, 600), Sample(10.0, 3.5, 1_000)]

    whole = rate(samples)

    assert whole is not None
    assert whole.per_s == pytest.approx(900 / 5)
    assert whole.cpu_us == pytest.approx(1.5 / 900 * 1e6)


def test_a_rate_of_a_part_is_between_the_first_samples_that_reach_its_bounds():
    samples = [Sample(0.0, 0.0, 100), Sample(1.0, 0.5, 200), Sample(2.0, 1.0, 650), Sample(3.0, 1.5, 1_000)]

    cold, warm = rate(samples, 0.0, 0.2), rate(samples, 0.6, 1.0)

    assert cold is not None
    assert warm is not None
    assert (cold.per_s, warm.per_s) == pytest.approx((100, 350))


def test_a_tool_that_committed_all_at_once_has_no_rate():
    assert rate([Sample(0.0, 0.0, 0), Sample(1.0, 1.0, 1_000)]) is None


PEER = Peer("tool", "long", "does it", lambda _: (_ for _ in ()).throw(UnavailableError("there is no tool")))


def place(folder: Path) -> Place:
    return Place("", "source", 100, "group", "late", folder, None, 1.0)


def test_figures_have_the_cold_and_the_warm_part_of_a_long_job_and_their_share_of_the_limit():
    samples = [Sample(one, one / 2, int(one * 100)) for one in range(11)]
    wanted = expected(records_of(50))

    long = compare.figures_of(PEER, Ran(samples, 10.0, {"late": 3}), wanted, wanted, 1_000)
    usual = compare.figures_of(PEER._replace(size="usual"), Ran(samples, 10.0, {}), wanted, wanted, 1_000)

    assert (long["per_s"], long["cold_per_s"], long["warm_per_s"], long["to_plain"]) == pytest.approx(
        (100, 100, 100, 0.1)
    )
    assert (long["wrong"], long["late"]) == ([], 3)
    assert "all breaches and panes are right" in compare.line(PEER, long)
    assert not {"cold_per_s", "warm_per_s"} & usual.keys()


def test_a_tool_that_is_wrong_is_shown_with_its_speed_and_what_differs():
    wanted = expected(records_of(50))
    ran = Ran([Sample(0.0, 0.0, 1), Sample(1.0, 1.0, 100)], 10.0, {})

    shown = compare.line(PEER, compare.figures_of(PEER, ran, wanted._replace(twice=2), wanted, 1_000))

    assert "99 events/s" in shown
    assert "WRONG: 2 breaches announced twice" in shown


def test_a_tool_that_is_not_there_is_skipped_with_its_reason(tmp_path: Path):
    found = compare.measured(PEER, place(tmp_path), expected([]), 1_000)

    assert found == {"skipped": "there is no tool"}
    assert compare.line(PEER, found).endswith("skipped: there is no tool")


def test_a_tool_that_does_not_get_through_is_wrong_and_the_others_are_measured(tmp_path: Path):
    def fails(_: Place) -> tuple[Ran, Outcome]:
        raise WrongError("it ended with 3 of 100 events")

    found = compare.measured(PEER._replace(run=fails), place(tmp_path), expected([]), 1_000)

    assert found == {"wrong": ["it ended with 3 of 100 events"]}
    assert "WRONG: it ended with 3 of 100 events" in compare.line(PEER, found)


def test_ratios_are_over_as_many_events_warm_where_the_other_did_the_longest_job():
    figures = {
        "sla-monitor": {"per_s": 20.0, "cold_per_s": 30.0, "warm_per_s": 40.0},
        "kafka-streams-dsl": {"per_s": 10.0, "warm_per_s": 20.0},
        "quix": {"per_s": 15.0},
        "bytewax": {"skipped": "no wheel"},
    }

    assert compare.ratios(figures) == {"kafka-streams-dsl": 2.0, "quix": 2.0}


def test_the_benchmark_fails_if_sla_monitor_is_wrong_and_not_if_another_tool_is():
    assert compare.failure({"sla-monitor": {"wrong": []}, "bytewax-2h": {"wrong": ["1 breaches of 2"]}}) == ""
    assert compare.failure({"sla-monitor": {"wrong": ["1 breaches of 2"]}}).endswith("\n1 breaches of 2")


def test_the_names_that_can_be_asked_for_are_those_of_the_tools():
    assert tuple(one.name for one in compare.PEERS) == peers.NAMES
    assert "peers" in benchmarks()


def test_a_program_of_another_interpreter_finds_nothing_of_the_project_but_its_own_folder():
    told = subprocess.run(
        [sys.executable, "-S", "-c", "import sys, tests.benchmarks.peers; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert "tests.benchmarks.peers" in told.split()
    assert not {"monitor", "orjson", "aiokafka"} & set(told.split())


def test_each_package_of_the_extra_is_asked_for_by_its_name():
    assert environments.requirement("quixstreams").startswith("quixstreams==")
    assert environments.requirement("bytewax").startswith("bytewax[kafka]==")


def test_an_interpreter_that_has_the_package_is_taken():
    assert environments.python_with("orjson", None) == sys.executable
    assert environments.python_with("orjson", sys.executable) == sys.executable


def test_a_named_interpreter_without_the_package_is_told():
    with pytest.raises(UnavailableError, match="cannot import no_such_package: install the extra"):
        environments.python_with("no_such_package", sys.executable)


def test_a_package_that_cannot_be_installed_is_told_and_leaves_no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(environments, "requirement", lambda _: "no-such-package==1.0")
    # given an interpreter with a pip that has no registry
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(UnavailableError, match=r"pip cannot install no-such-package==1\.0 for Python 3"):
        environments.python_with("no_such_package", None)

    assert list((tmp_path / "sla-monitor-tests").iterdir()) == []


def test_without_maven_kafka_streams_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kafka_streams.shutil, "which", lambda name: None if name == "mvn" else f"/bin/{name}")

    with pytest.raises(UnavailableError, match="there is no mvn to build it with"):
        kafka_streams.build()


def started(folder: Path, program: str) -> Process:
    return Process([sys.executable, "-c", program], folder / "log")


def test_a_process_is_stopped_by_the_end_of_its_stdin_and_what_it_printed_is_read(tmp_path: Path):
    program = "import sys; print('banner'); sys.stdin.read(); print('{\"late\": 3}'); print('end')"

    with started(tmp_path, program) as process:
        assert process.lives
        assert process.stop() == {"late": 3}


def test_a_process_that_fails_is_told_with_the_end_of_its_log(tmp_path: Path):
    with (
        started(tmp_path, "raise SystemExit('no broker')") as process,
        pytest.raises(WrongError, match="ended with 1: no broker"),
    ):
        process.stop()


def test_a_process_that_tells_its_own_progress_is_given_up_in_time(tmp_path: Path):
    at = place(tmp_path)

    with (
        started(tmp_path, "import time; time.sleep(60)") as process,
        pytest.raises(WrongError, match="not done within 1 s"),
    ):
        running.ended(process, at)


class FakeGroup:
    """A group that has committed more at each look, and nothing more at last."""

    def __init__(self, *commits: tuple[int, int]) -> None:
        self._commits: Iterator[tuple[int, int]] = iter(commits)
        self._last = (0, 0)

    async def committed(self) -> tuple[int, int]:
        self._last = next(self._commits, self._last)
        return self._last


class FakeProcess:
    """A process that needs a tenth of a second of CPU between two looks, and lives for so many of them."""

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._looked = 0

    def cpu_s(self) -> float:
        self._looked += 1
        return self._looked / 10

    @property
    def lives(self) -> bool:
        return self._looked < self._looks

    def complaint(self) -> str:
        return "no broker"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "EVERY_S", 0)
    monkeypatch.setattr(running, "QUIET_S", 0)


@pytest.mark.usefixtures("hasty")
def test_a_watched_tool_has_a_sample_for_each_commit_up_to_the_last_one_of_its_own_topics():
    group = FakeGroup((0, 0), (60, 1), (60, 1), (100, 1), (100, 5))

    samples = asyncio.run(running._watched(FakeProcess(6), group, 100, 60.0))  # type: ignore[arg-type]  # fakes

    assert [(one.cpu_s, one.events) for one in samples][:3] == [(0.1, 0), (0.2, 60), (0.4, 100)]


def test_a_watched_tool_is_not_done_while_it_commits_on_its_own_topics(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "EVERY_S", 0)
    group = FakeGroup((100, 1), (100, 3), (100, 5))

    samples = asyncio.run(running._watched(FakeProcess(4), group, 100, 60.0))  # type: ignore[arg-type]  # fakes

    assert [one.cpu_s for one in samples] == [0.1, 0.2, 0.3]


@pytest.mark.usefixtures("hasty")
def test_a_watched_tool_that_ends_too_early_is_wrong():
    with pytest.raises(WrongError, match="it ended with 40 of 100 events: no broker"):
        asyncio.run(running._watched(FakeProcess(2), FakeGroup((40, 0)), 100, 60.0))  # type: ignore[arg-type]  # fakes


@pytest.mark.usefixtures("hasty")
def test_a_watched_tool_that_is_too_slow_is_wrong():
    with pytest.raises(WrongError, match="was not done within 0 s, with 40 of 100 events"):
        asyncio.run(running._watched(FakeProcess(9), FakeGroup((40, 0)), 100, 0.0))  # type: ignore[arg-type]  # fakes


def test_the_help_names_what_can_be_asked():
    told = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "peers", "-h"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    told = "".join(told.split())  # long lines are broken at hyphens
    assert all(option in told for option in ("--only", "--tickets", "--python-peers", *peers.NAMES))


def test_the_plan_of_a_program_is_json(tmp_path: Path):
    process = compare.python_tools.started("quix", sys.executable, place(tmp_path), waits_h=2)

    assert json.loads(process._command[-1])["targets"] == {
        "P1": 10_800_000,
        "P2": 14_400_000,
        "P3": 18_000_000,
        "P4": 21_600_000,
    }
