"""The public data sets: what a replay finds equals an independent computation over the CSV files."""

from __future__ import annotations

import gzip
import math
import statistics
from collections import Counter, defaultdict
from datetime import date
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.series.sketch import RELATIVE_ERROR
from monitor.core.time.units import HOUR_MS
from monitor.replay.files import replay_files
from monitor.replay.local import ReplayResult
from monitor.replay.whole import WholeFigures
from tests.replay import oracle
from tests.replay.public_data import AGREEMENTS, MAPPINGS, data_file

pytestmark = pytest.mark.data

UCI = "tickets_uci_servicenow/incident_event_log.csv.gz"
CALLS = "calls_simulated_queue/simulated_call_centre.csv.gz"
DAILY = "calls_kaggle_daily/call_center_data.csv.gz"
GCP = "outages_gcp_status/incidents.csv.gz"
POWER = "outages_bchydro/changes_2023.csv.gz"


def replayed(data: str, mapping: str, agreement: str, step_ms: int | None = None) -> ReplayResult:
    return replay_files([data_file(data)], MAPPINGS / mapping, AGREEMENTS / agreement, step_ms=step_ms)


def series(result: ReplayResult, measure: str, **labels: str) -> WholeFigures:
    """Return one series of a measure, or all of them together."""
    found = [one for one in result.whole if one.series.measure == measure and one.labels == labels]
    return next(one for one in found if labels or one.total or len(found) == 1)


def near(seconds: float) -> object:
    """Return what a sketch may say of an exact duration: within its stated error, or a millisecond."""
    return pytest.approx(seconds * 1000, rel=RELATIVE_ERROR, abs=1)


def assert_equal(found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    """Assert that two large tables are equal; name ten differences (a full comparison of their texts takes hours)."""
    keys = sorted(found.keys() | wanted.keys())
    differences = ((key, found.get(key), wanted.get(key)) for key in keys if found.get(key) != wanted.get(key))
    assert list(islice(differences, 10)) == []


def compare_clocks(figures: WholeFigures, measured: list[oracle.Measured]) -> None:
    elapsed = [one.elapsed for one in measured]
    compliance, mean = figures.figure("compliance"), figures.figure("mean")
    assert (compliance.numerator, compliance.denominator) == (sum(one.met for one in measured), len(measured))
    assert compliance.value == sum(one.met for one in measured) / len(measured)
    assert mean.numerator == pytest.approx(sum(elapsed) * 1000)
    assert mean.value == pytest.approx(sum(elapsed) / len(elapsed) * 1000)
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99")):
        assert figures.figure(name).value == near(oracle.percentile(elapsed, share)), name
    assert figures.figure("longest").value == near(max(elapsed))


class TestIncidentLog:
    @pytest.fixture(scope="class")
    @classmethod
    def result(cls) -> ReplayResult:
        return replayed(UCI, "uci_incidents.yaml", "uci-incident-desk.yaml")

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls) -> list[oracle.Measured]:
        return oracle.uci_clocks(data_file(UCI))

    def test_every_row_is_accounted_for(self, result):
        reading = result.reading

        assert reading is not None
        assert reading.rows == 141_712
        assert reading.reasons() == {"updated_before_opened": 5, "state_without_meaning": 5}
        assert [one.line for one in reading.rejected if one.reason == "updated_before_opened"] == [
            330, 336, 346, 351, 438
        ]  # fmt: skip
        assert (result.subjects, result.repeats, result.rejected_events) == ({"ticket": 24_918}, 0, {})

    @pytest.mark.parametrize("clock", ["acknowledge", "resolution"])
    def test_counts_means_percentiles_and_compliance_are_those_of_the_states(self, result, expected, clock):
        compare_clocks(series(result, clock), [one for one in expected if one.clock == clock])
        for priority in ("P1", "P2", "P3", "P4"):
            own = [one for one in expected if (one.clock, one.priority) == (clock, priority)]
            compare_clocks(series(result, clock, priority=priority), own)

    def test_every_single_clock_is_the_same(self, result, expected):
        found = {
            (one.subject_id, one.metric, one.cycle): (
                one.priority, one.start_ms, one.stop_ms, one.elapsed_ms, one.wall_ms, one.verdict
            )
            for one in result.records
        }  # fmt: skip
        wanted = {
            (one.subject, one.clock, one.cycle): (
                one.priority, one.start * 1000, one.stop * 1000, one.elapsed * 1000, one.wall * 1000,
                "met" if one.met else "breached",
            )
            for one in expected if one.stop is not None
        }  # fmt: skip
        assert_equal(found, wanted)

    def test_breaches_that_were_announced_and_not_taken_back_are_those_of_the_states_at_their_due_instants(
        self, result, expected
    ):
        # A changed priority moves the due instant: a breach is taken back, and may come again, if the new one is later;
        # if it is earlier, what was announced stands as it was announced.
        standing: dict[tuple[str, str, int], int] = {}
        for alert in result.alerts:
            key = (alert.key.what, alert.key.promise, alert.key.cycle)
            if alert.key.kind == "ticket" and alert.state == "breached":
                assert key not in standing
                standing[key] = alert.at_ms
            elif alert.state in ("voided", "rearmed"):
                standing.pop(key, None)
        moved = {event.subject_id for event in result.reading.events if event.fact.type == "priority_changed"}

        # A breach is announced at the first millisecond that is more than the budget: where the hours end with the due
        # instant, it is the first of the next opening.
        office = oracle.OfficeHours(oracle.SAO_PAULO, date(2016, 1, 1), date(2018, 12, 31))
        broken = {
            (one.subject_id, one.clock, one.cycle): 1 + round(
                1000 * (oracle.Always() if one.priority == "P1" else office).goes_on(one.due_ms / 1000)
            )
            for one in result.records
        }  # fmt: skip
        assert_equal(
            {key: at_ms for key, at_ms in standing.items() if key[0] not in moved},
            {key: broken[key] for key in standing if key[0] not in moved},
        )
        assert sorted(standing.keys() ^ {(one.subject, one.clock, one.cycle) for one in expected if not one.met}) == []
        assert len({alert.id for alert in result.alerts}) == len(result.alerts)


class TestCallCentre:
    @pytest.fixture(scope="class")
    @classmethod
    def result(cls) -> ReplayResult:
        return replayed(CALLS, "simulated_call_centre.yaml", "simulated-call-centre.yaml")

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls) -> list[oracle.Call]:
        return oracle.calls(data_file(CALLS))

    def test_no_row_is_lost(self, result):
        assert (result.reading.rows, result.reading.rejected) == (51_708, [])
        assert (result.subjects, result.repeats, result.too_late) == ({"call": 51_708}, 0, 0)

    def test_all_service_levels_are_the_share_within_60_seconds_as_nobody_hung_up(self, result, expected):
        within = sum(call.wait <= 60 for call in expected)
        figures = series(result, "calls", queue="main")

        for name in ("SL1", "SL2", "SL3", "SL4", "SL5", "SL6"):
            level = figures.figure(name)
            assert (level.numerator, level.denominator, level.value) == (within, 51_708, within / 51_708)
        assert (figures.figure("abandonment").numerator, figures.figure("abandonment").value) == (0, 0)

    def test_the_speed_of_answer_and_its_percentiles_are_those_of_the_waits(self, result, expected):
        waits = [call.wait for call in expected]
        figures = series(result, "calls", queue="main")

        asa = figures.figure("asa")
        assert (asa.numerator, asa.denominator) == (sum(waits) * 1000, 51_708)
        for share, name in ((0.5, "p50"), (0.9, "p90"), (0.95, "p95")):
            assert figures.figure(name).value == near(oracle.percentile(waits, share)), name
        assert figures.figure("longest").value == near(max(waits))

    def test_each_day_and_month_is_stated_once_with_its_calls(self, result, expected):
        for window, length in (("day", 10), ("month", 7)):
            offered, within = Counter(), Counter()
            for call in expected:
                offered[call.day[:length]] += 1
                within[call.day[:length]] += call.wait <= 60
            stated = {}
            for status in result.statements:
                if status.window == window:
                    level = next(figure for figure in status.figures if figure.indicator == "SL1")
                    day = oracle.datetime.fromtimestamp(status.from_ms / 1000, oracle.UTC).isoformat()[:length]
                    assert day not in stated
                    if level.denominator:
                        stated[day] = (level.numerator, level.denominator)
            last = max(offered)  # it has not ended yet
            assert stated == {day: (within[day], offered[day]) for day in offered if day != last}


class TestDailyCalls:
    """One row a day, with counts and averages. The first 40 days: each of their 7,270 calls is made."""

    DAYS = 40

    @pytest.fixture(scope="class")
    @classmethod
    def result(cls, tmp_path_factory: pytest.TempPathFactory) -> ReplayResult:
        file = tmp_path_factory.mktemp("daily") / "daily.csv"
        with gzip.open(data_file(DAILY), "rt", encoding="utf-8") as whole:
            file.write_text("".join(islice(whole, cls.DAYS + 1)), encoding="utf-8")
        return replay_files([file], MAPPINGS / "daily_calls.yaml", AGREEMENTS / "daily-calls.yaml")

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls) -> list[oracle.DayOfCalls]:
        return oracle.days_of_calls(data_file(DAILY), cls.DAYS)

    def test_every_call_of_the_table_is_made_once(self, result, expected):
        offered = sum(day.offered for day in expected)

        assert (result.reading.rows, result.reading.rejected, result.repeats) == (self.DAYS, [], 0)
        assert result.subjects == {"call": offered}

    def test_offered_answered_abandoned_are_those_of_the_table(self, result, expected):
        figures = series(result, "calls", queue="main")
        answered, abandoned = (sum(day[place] for day in expected) for place in (1, 2))

        rate = figures.figure("abandonment")
        assert (rate.numerator, rate.denominator) == (abandoned, sum(day.offered for day in expected))
        assert figures.figure("SL2").denominator == figures.figure("aht").denominator == answered

    def test_speed_of_answer_and_handle_time_are_weighted_by_the_calls_of_the_days_and_no_averages_of_averages(
        self, result, expected
    ):
        figures = series(result, "calls", queue="main")
        answered = sum(day.answered for day in expected)
        for indicator, place in (("asa", 3), ("aht", 4)):
            weighted = sum(day.answered * day[place] for day in expected) / answered * 1000
            assert figures.figure(indicator).value == pytest.approx(weighted), indicator
            assert weighted != pytest.approx(sum(day[place] for day in expected) / len(expected) * 1000)

    def test_the_share_within_20_seconds_is_that_of_the_averages_as_the_table_has_no_waits(self, result, expected):
        level = series(result, "calls", queue="main").figure("SL3")

        assert level.numerator == sum(day.answered for day in expected if day.answer_speed <= 20)
        assert level.denominator == sum(day.offered for day in expected)

    def test_each_day_is_stated_with_its_own_counts(self, result, expected):
        stated = [
            next(figure for figure in one.figures if figure.indicator == "abandonment")
            for one in result.statements
            if one.window == "day"
        ]

        assert [(one.numerator, one.denominator) for one in stated] == [
            (day.abandoned, day.offered) for day in expected[: len(stated)]
        ]
        assert len(stated) >= self.DAYS - 2


class TestOutages:
    @pytest.fixture(scope="class")
    @classmethod
    def result(cls) -> ReplayResult:
        # 160 series over six years: judged once a week is enough for the figures, which no step changes.
        return replayed(GCP, "gcp_outages.yaml", "gcp-outages.yaml", step_ms=7 * 24 * HOUR_MS)

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls) -> list[oracle.Incident]:
        return oracle.incidents(data_file(GCP))

    def test_only_the_two_incidents_without_an_end_are_rejected(self, result, expected):
        assert (result.reading.rows, result.reading.reasons()) == (969, {"vanished_without_end": 2})
        assert result.subjects == {"outage": 967 + sum(len(one.products) for one in expected)}

    def test_mttr_mtbf_downtime_and_availability_are_those_of_the_incidents(self, result, expected):
        figures = series(result, "incidents")
        first = min(min(one.begin, one.created) for one in expected)
        last = max(max(one.end, one.created if one.created < one.end else 0) for one in expected)
        period = last - first + 0.001  # up to the millisecond after the last event
        down = oracle.union([(one.begin, one.end) for one in expected])

        assert figures.figure("downtime").value == pytest.approx(down * 1000)
        assert figures.figure("failures").value == 967
        assert figures.figure("mtbf").value == pytest.approx((period - down) / 967 * 1000)
        assert figures.figure("availability").value == pytest.approx((period - down) / period, abs=1e-12)
        restore = figures.figure("mttr_restore")
        assert (restore.numerator, restore.denominator) == (
            pytest.approx(sum(one.end - one.begin for one in expected) * 1000), 967
        )  # fmt: skip
        seen = [max(0.0, one.created - one.begin) for one in expected if one.created < one.end]
        acknowledge = figures.figure("mttr_acknowledge")
        assert (acknowledge.numerator, acknowledge.denominator) == (pytest.approx(sum(seen) * 1000), len(seen))
        assert figures.figure("mttr_resolve").value is None

    def test_each_product_has_the_downtime_of_the_union_of_its_incidents(self, result, expected):
        spans = defaultdict(list)
        for one in expected:
            for product in one.products:
                spans[product].append((one.begin, one.end))
        found = {
            one.labels["service"]: one for one in result.whole if one.series.measure == "products" and not one.total
        }

        assert found.keys() == spans.keys()
        for product, own in spans.items():
            assert found[product].figure("downtime").value == pytest.approx(oracle.union(own) * 1000), product
            assert found[product].figure("failures").value == len(own), product

    def test_the_restore_clock_keeps_its_promise_by_severity_as_the_times_say(self, result, expected):
        budgets = {"high": 4 * oracle.HOUR, "medium": 8 * oracle.HOUR, "low": 24 * oracle.HOUR}
        for severity, budget in budgets.items():
            own = [
                oracle.Measured("", "restore", 1, severity, one.begin, one.end, *[one.end - one.begin] * 2, budget)
                for one in expected
                if one.severity == severity
            ]
            compare_clocks(series(result, "restore", severity=severity), own)


class TestPowerOutages:
    MONTHS = range(1, 12)  # December has not ended yet

    @pytest.fixture(scope="class")
    @classmethod
    def result(cls) -> ReplayResult:
        return replayed(POWER, "bchydro_outages.yaml", "bchydro-outages.yaml", step_ms=28 * 24 * HOUR_MS)

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls) -> list[oracle.PowerOutage]:
        return oracle.power_outages(data_file(POWER))

    def test_no_line_is_lost_and_three_outages_have_no_start(self, result, expected):
        assert (result.reading.rows, result.reading.rejected, result.too_late) == (101_581, [], 0)
        assert result.subjects == {"outage": 28_323}
        assert len(expected) == 28_320

    @pytest.mark.parametrize("region", ["", "Lower Mainland", "Northern", "North VI", "South VI", "Central Interior"])
    def test_customer_time_counts_and_repair_times_of_a_region_are_those_of_the_polls(self, result, expected, region):
        figures = series(result, "supply", **({"service": region} if region else {}))
        own = [one for one in expected if region in ("", one.region)]
        first, last = figures.from_ms / 1000, figures.to_ms / 1000
        lengths = [one.end - one.start for one in own if one.end is not None]
        # What came up minutes before the end of the data may still be momentary.
        sustained = [one for one in own if (last if one.end is None else one.end) - one.start >= 300]
        assert all(first <= one.start < last for one in own), "each accrues to the whole"
        sums = [oracle.customer_seconds(one, last) for one in sustained]
        time, lost = sum(one for one, _ in sums), sum(number for _, number in sums)

        assert figures.figure("failures").value == len(own)
        restore = figures.figure("mttr_restore")
        assert (restore.numerator, restore.denominator) == (pytest.approx(sum(lengths) * 1000), len(lengths))
        assert figures.figure("saidi").numerator == pytest.approx(time * 1000, rel=1e-12)
        served = 2_100_000 * len({one.region for one in own})
        assert figures.figure("saidi").value == pytest.approx(time * 1000 / served)
        assert (figures.figure("saifi").numerator, figures.figure("saifi").denominator) == (lost, served)
        assert figures.figure("caidi").value == pytest.approx(time * 1000 / lost)
        down = oracle.worst_customer_seconds(own, last) / 2_100_000
        assert figures.figure("downtime").value == pytest.approx(down * 1000)

    def test_each_month_is_stated_with_and_without_its_major_event_days(self, result, expected):
        stated, restored = (
            {(one.labels["service"], one.from_ms): one for one in result.statements if one.window == window}
            for window in ("month", "month+restored")
        )
        own = [one for one in expected if one.region == "Northern"]
        days = defaultdict(float)
        for one in own:
            days[_day(one.start)] += oracle.customer_seconds(one, float("inf"))[0] if _is_sustained(one) else 0.0
        for month in self.MONTHS:
            first = oracle.datetime(2023, month, 1, tzinfo=VANCOUVER).timestamp()
            last = oracle.datetime(2023, month + 1, 1, tzinfo=VANCOUVER).timestamp()
            key = "Northern", round(first * 1000)
            figures = {one.indicator: one for one in stated[key].figures}
            began = [one for one in own if first <= one.start < last]
            # Where an outage of the month is open after its lateness, the month is stated again when all have ended.
            assert (key in restored) == (max(one.end for one in began) > last + 900), month
            if key in restored:
                assert [one.verdict for one in stated[key].verdicts] == ["provisional"]
                figures |= {one.indicator: one for one in restored[key].figures}
            every = sum(oracle.customer_seconds(one, float("inf"))[0] for one in began if _is_sustained(one))
            assert figures["saidi"].numerator == pytest.approx(every * 1000, rel=1e-12)
            logs = [math.log(total) for day, total in days.items() if day < _day(first) and total]
            if month == 1:
                assert figures["saidi_net"].value is None, "December brought only what was still out"
                continue
            threshold = math.exp(statistics.mean(logs) + 2.5 * statistics.stdev(logs))
            major = {day for day, total in days.items() if total > threshold}
            counted = [one for one in began if _is_sustained(one) and _day(one.start) not in major]
            net = sum(oracle.customer_seconds(one, float("inf"))[0] for one in counted)
            in_month = sum(_day(first) <= day < _day(last) for day in major)
            assert figures["major_event_days"].value == in_month
            assert figures["saidi_net"].numerator == pytest.approx(net * 1000, rel=1e-12)


def _is_sustained(outage: oracle.PowerOutage) -> bool:
    return outage.end is None or outage.end - outage.start >= 300


VANCOUVER = ZoneInfo("America/Vancouver")


def _day(instant: float) -> str:
    return oracle.datetime.fromtimestamp(instant, VANCOUVER).date().isoformat()
