"""The exporter: one snapshot, one page. What is absent stays absent, what is gone disappears."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from monitor.core.agreements.agreement import Agreement, Origin, Rights, Support
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule, ClockRule, OutageRule
from monitor.core.agreements.parties import Party
from monitor.core.agreements.term import Length, Term
from monitor.core.series.series import SeriesKey
from monitor.counters import Durations
from monitor.metrics.declaring import CODES
from monitor.metrics.exporter import Exporter, page_of
from monitor.metrics.figures import kind_of
from monitor.metrics.snapshot import Snapshot
from monitor.wire.visible import visible
from tests.core.stories import agreement, clock
from tests.metrics.given import NOW_MS, durations, everything, exposition, partition, samples, status, value_of, verdict


def test_a_ratio_travels_with_numerator_denominator_and_window():
    snapshot = everything()
    who = {"agreement": "desk", "priority": "P1", "window": "24h"}
    assert value_of(snapshot, "sla_clock_compliance_ratio", **who) == 0.95
    assert value_of(snapshot, "sla_clock_compliance_met", **who) == 19
    assert value_of(snapshot, "sla_clock_compliance_samples", **who) == 20


def test_durations_are_shown_in_seconds():
    snapshot = everything()
    assert value_of(snapshot, "sla_call_speed_of_answer_seconds", queue="support") == 12.5
    assert value_of(snapshot, "sla_outage_time_to_repair_seconds", stage="restore") == 12.5
    assert value_of(snapshot, "sla_clock_elapsed_percentile_seconds", percentile="90") == 12.5
    assert value_of(snapshot, "sla_calls_waiting_longest_seconds", queue="support") == 41
    assert value_of(snapshot, "sla_last_event_timestamp_seconds", topic="calls") == NOW_MS / 1000 - 1.5


def test_the_six_service_levels_stand_side_by_side_by_formula():
    snapshot = Snapshot(statuses=[status("call", SL1=0.8302, SL6=0.8190)])
    assert value_of(snapshot, "sla_call_service_level_ratio", formula="SL1") == 0.8302
    assert value_of(snapshot, "sla_call_service_level_ratio", formula="SL6") == 0.8190
    assert sum(name == "sla_call_service_level_ratio" for name, _ in samples(snapshot)) == 6


def test_the_two_abandonments_are_told_apart():
    snapshot = Snapshot(statuses=[status("call", abandonment=0.06, abandonment_net=0.05)])
    assert value_of(snapshot, "sla_call_abandonment_ratio", counting="gross") == 0.06
    assert value_of(snapshot, "sla_call_abandonment_ratio", counting="net") == 0.05


def test_nothing_offered_has_no_value_but_says_that_it_has_no_samples():
    snapshot = Snapshot(
        statuses=[status("clock", compliance=None, verdicts=[verdict("no_data", value=None, sample=0)])]
    )
    assert value_of(snapshot, "sla_clock_compliance_ratio") is None
    assert value_of(snapshot, "sla_objective_value") is None
    assert value_of(snapshot, "sla_clock_compliance_samples") == 0
    assert value_of(snapshot, "sla_objective_samples") == 0
    assert value_of(snapshot, "sla_objective_target") == 0.9


def test_no_failure_means_no_mtbf_and_still_an_availability():
    snapshot = Snapshot(statuses=[status("outage", mtbf=None, availability=1.0, failures=0)])
    assert value_of(snapshot, "sla_outage_time_between_failures_seconds") is None
    assert value_of(snapshot, "sla_outage_availability_ratio") == 1
    assert value_of(snapshot, "sla_outage_failures") == 0


def test_a_verdict_is_one_of_its_words():
    snapshot = Snapshot(statuses=[status(verdicts=[verdict("at_risk")])])
    words = {
        dict(have)["verdict"]: v for (name, have), v in samples(snapshot).items() if name == "sla_objective_verdict"
    }
    assert words == {"met": 0, "on_track": 0, "at_risk": 1, "breached": 0, "no_data": 0, "low_sample": 0}


def test_an_objective_about_a_duration_is_told_in_seconds_and_one_about_a_count_in_counts():
    slow = verdict(
        objective="fast", indicator="p90", comparison="<=", target=14_400_000.0, at_risk=None, value=60_000.0
    )
    few = verdict(objective="few", indicator="failures", comparison="<=", target=3.0, at_risk=2.0, value=1.0)
    sliced = verdict(objective="sliced", indicator="good_slices", target=0.9995, value=0.9994)
    snapshot = Snapshot(statuses=[status("clock", verdicts=[slow, sliced]), status("outage", verdicts=[few])])
    assert value_of(snapshot, "sla_objective_value", objective="sliced", indicator="good_slices") == 0.9994
    assert value_of(snapshot, "sla_objective_target", objective="fast", comparison="<=") == 14_400
    assert value_of(snapshot, "sla_objective_value", objective="fast") == 60
    assert value_of(snapshot, "sla_objective_at_risk_threshold", objective="fast") is None
    assert value_of(snapshot, "sla_objective_target", objective="few") == 3
    assert value_of(snapshot, "sla_objective_at_risk_threshold", objective="few") == 2


def test_what_the_period_before_was_stated_with_stands_beside_what_is_now():
    slow = verdict(
        objective="fast", indicator="p90", comparison="<=", target=14_400_000.0, at_risk=None, value=60_000.0
    )
    one = status("clock", window="month", verdicts=[slow, verdict()])
    before = (("fast", 120_000.0), ("dropped", 0.5), (verdict().objective, 0.9))
    snapshot = Snapshot(statuses=[one._replace(before=before)])
    stated = {
        dict(have)["objective"]: v for (name, have), v in samples(snapshot).items() if name.endswith("stated_value")
    }
    assert stated == {"fast": 120, verdict().objective: 0.9}
    assert value_of(Snapshot(statuses=[one]), "sla_objective_stated_value", objective="fast") is None


def test_what_is_open_now_is_told_once_although_the_series_has_several_windows():
    older = status(window="24h", live={"open": 9})._replace(as_of_ms=NOW_MS - 60_000)
    newer = status(window="month", live={"open": 4})
    for order in ([older, newer], [newer, older]):
        assert value_of(Snapshot(statuses=order), "sla_clocks_open") == 4


def test_nobody_waiting_is_a_zero_but_no_longest_wait():
    snapshot = Snapshot(statuses=[status("call", live={"waiting": 0, "longest_wait_ms": 0})])
    assert value_of(snapshot, "sla_calls_waiting") == 0
    assert value_of(snapshot, "sla_calls_waiting_longest_seconds") is None


def test_who_waits_waits_on_although_nothing_is_told_of_it():
    waiting = status("call", live={"waiting": 1, "longest_wait_ms": 4_000})
    later = Snapshot(statuses=[waiting], now_ms=NOW_MS + 90_000)
    assert value_of(later, "sla_calls_waiting_longest_seconds") == 94
    skewed = Snapshot(statuses=[waiting], now_ms=NOW_MS - 90_000)
    assert value_of(skewed, "sla_calls_waiting_longest_seconds") == 4


def test_of_two_words_on_the_same_window_the_newer_holds():
    old = status(compliance=0.5)._replace(as_of_ms=NOW_MS - 1)
    new = status(compliance=0.75)
    for order in ([old, new], [new, old]):
        assert value_of(Snapshot(statuses=order), "sla_clock_compliance_ratio") == 0.75


def test_a_statement_does_not_stand_in_for_the_period_that_runs():
    closed = status(window="month")._replace(closed=True)
    assert value_of(Snapshot(statuses=[closed]), "sla_clock_compliance_ratio") is None


def test_the_series_of_a_revoked_partition_vanish_with_it():
    both = Snapshot(partitions=[partition("tickets", 0), partition("tickets", 1)], statuses=[status()])
    assert 'partition="1"' in exposition(both)
    text = exposition(Snapshot(partitions=[partition("tickets", 0)]))
    assert 'partition="1"' not in text
    assert "sla_clock" not in text
    assert "sla_partitions_open 1.0" in text


def test_the_registry_is_our_own():
    before = set(REGISTRY._names_to_collectors)
    text = exposition(everything())
    assert set(REGISTRY._names_to_collectors) == before
    assert "python_gc" not in text


def test_an_attribute_without_a_label_of_its_own_keeps_series_apart():
    snapshot = Snapshot(
        statuses=[
            status(labels={"priority": "P1", "category": "network", "segment": "smb"}, compliance=0.25),
            status(labels={"priority": "P1", "category": "storage", "segment": "smb"}, compliance=0.5),
        ]
    )
    assert value_of(snapshot, "sla_clock_compliance_ratio", other="category=network,segment=smb") == 0.25
    assert value_of(snapshot, "sla_clock_compliance_ratio", other="category=storage,segment=smb") == 0.5


def test_too_many_series_are_cut_and_counted_and_the_same_ones_stay():
    crowd = [status(labels={"customer": f"c{n:03}"}) for n in range(40)]
    first = samples(Snapshot(statuses=crowd), max_series=30)
    again = samples(Snapshot(statuses=crowd[::-1]), max_series=30)
    assert set(first) == set(again)
    assert sum(name == "sla_clock_compliance_ratio" for name, _ in first) == 30
    assert first["sla_exporter_dropped_series", frozenset({("metric", "sla_clock_compliance_ratio")})] == 10


def test_below_the_limit_nothing_is_said_of_dropped_series():
    assert value_of(everything(), "sla_exporter_dropped_series") is None


def test_a_histogram_counts_up_to_all_of_them():
    snapshot = Snapshot(detection_delay=durations(0.02, 0.1, 70.0))
    assert value_of(snapshot, "sla_detection_delay_seconds_bucket", le="0.025") == 1
    assert value_of(snapshot, "sla_detection_delay_seconds_bucket", le="0.1") == 2  # a bound is within
    assert value_of(snapshot, "sla_detection_delay_seconds_bucket", le="60.0") == 2
    assert value_of(snapshot, "sla_detection_delay_seconds_bucket", le="+Inf") == 3
    assert value_of(snapshot, "sla_detection_delay_seconds_count") == 3
    assert value_of(snapshot, "sla_detection_delay_seconds_sum") == pytest.approx(70.12)


@given(st.lists(st.floats(0, 100)))
def test_buckets_never_go_down_and_end_at_the_count(seconds):
    found = durations(*seconds)
    counts = [count for _, count in found.buckets]
    assert counts == sorted(counts)
    assert counts[-1] == found.observations == len(seconds)


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (1.0, 1.0), (1.0, float("inf"))])
def test_bounds_that_do_not_ascend_are_refused(bounds):
    with pytest.raises(ValueError, match="ascend"):
        Durations(bounds)


def test_what_is_not_known_is_not_shown():
    bare = Snapshot(partitions=[replace(partition(), last_event_ms=None, held_seconds=None)])
    assert value_of(bare, "sla_last_event_timestamp_seconds") is None
    assert value_of(bare, "sla_held_back_seconds") is None
    assert value_of(bare, "sla_rebalances_total") is None
    assert value_of(bare, "sla_lag_records") == 7


def test_an_empty_snapshot_is_a_page():
    assert "sla_build_info" in exposition(Snapshot())


def test_a_measure_of_no_known_kind_breaks_nothing():
    strange = status()._replace(figures=())
    assert kind_of(strange) == ""
    assert value_of(Snapshot(statuses=[strange]), "sla_clocks_open") is None


@given(st.text(st.characters(), max_size=40) | st.text("\\xu0128e\x81\x1b\u202e", max_size=12))
def test_any_customer_is_shown(name):
    # Lone surrogates too: one such name must not cost the whole scrape.
    snapshot = Snapshot(statuses=[status(labels={"customer": name})])
    shown = visible(name).encode("utf-8", "replace").decode()
    if visible(name) != shown:
        assert exposition(snapshot)
    else:
        wanted = {"agreement": "desk", "measure": "clock", "window": "24h"} | ({"customer": shown} if name else {})
        assert ("sla_clock_compliance_ratio", frozenset(wanted.items())) in samples(snapshot)


def test_names_that_were_decoded_wrongly_are_shown_escaped_and_apart_from_those_that_hold_an_escape():
    names = ["M\x81ller", "M\\x81ller", "a\u202eb", "a\u2028b", "C:\\users"]
    snapshot = Snapshot(
        statuses=[
            status(labels={"customer": one})._replace(series=SeriesKey("desk", "clock", (one,))) for one in names
        ],
        dead_letters={("tickets", name): 1 for name in names},
    )
    page = exposition(snapshot)

    assert not re.search("[\x80-\x9f\u2028-\u202e\u2066-\u2069]", page)
    shown = {dict(labels)["customer"] for name, labels in samples(snapshot) if name == "sla_clock_compliance_ratio"}
    assert shown == {r"M\x81ller", r"M\\x81ller", r"a\u202eb", r"a\u2028b", r"C:\users"}


def test_openmetrics_is_spoken_to_those_who_ask_for_it():
    body, content_type = page_of(everything(), "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    found = {family.name: family for family in openmetrics(body.decode())}
    assert found["sla_clock_compliance_ratio"].unit == "ratio"
    assert found["sla_events"].type == "counter"
    assert page_of(everything(), "")[1].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0"])
def test_the_page_is_what_the_client_library_writes(accept):
    """Read by the library and written by it again, it is the same families in the same words."""
    body, _ = page_of(everything(), accept)
    read = openmetrics if accept else text_string_to_metric_families
    registry = CollectorRegistry(auto_describe=False)
    families = list(read(body.decode()))
    registry.register(type("Read", (Collector,), {"collect": lambda _: families})())
    again = choose_encoder(accept)[0](registry)
    assert _sorted_lines(again) == _sorted_lines(body)


LABEL = re.compile(r'[a-z_]+="[^"]*"')


def _sorted_lines(page):
    """The lines of a page with their labels in order and their numbers as numbers."""
    found = []
    for line in page.decode().splitlines():
        if line.startswith("#"):
            found.append(line)
            continue
        name, brace, rest = line.partition("{")
        labels, _, value = rest.rpartition("} ") if brace else ("", "", "")
        name, value = (name, value) if brace else line.split(" ")
        found.append(f"{name} {sorted(LABEL.findall(labels))} {float(value)}")
    return sorted(found)


def test_customers_who_cannot_be_told_apart_do_not_cost_the_whole_scrape():
    crowd = [status(labels={"customer": name}) for name in ("\ud800", "\ud801")]
    found = samples(Snapshot(statuses=crowd))
    assert sum(name == "sla_clock_compliance_ratio" for name, _ in found) == 1


@given(
    st.lists(st.tuples(st.sampled_from(("clock", "call", "lead")), st.integers(0, 2), st.booleans()), max_size=12),
    st.integers(0, 40),
)
def test_a_window_has_all_lines_of_a_metric_or_none_and_what_has_no_room_is_counted(crowd, most):
    statuses = [
        status(kind, labels={"customer": f"c{n:02}"}, verdicts=[verdict()] * judged, **({"mean": None} if gap else {}))
        for n, (kind, judged, gap) in enumerate(crowd)
        for judged in (min(judged, 1),)
    ]
    whole, cut = samples(Snapshot(statuses=statuses)), samples(Snapshot(statuses=statuses), max_series=most)
    dropped = {next(iter(labels))[1]: n for (name, labels), n in cut.items() if name == "sla_exporter_dropped_series"}
    for name in {name for name, _ in whole} - {"sla_build_info"}:
        shown = {key for key in cut if key[0] == name}
        assert len(shown) <= max(most, 1) or name.startswith("sla_partitions")
        assert all(cut[key] == whole[key] for key in shown)
        assert len(shown) + dropped.get(name, 0) == sum(key[0] == name for key in whole)
        sizes = Counter(dict(labels)["customer"] for key, labels in shown if "customer" in dict(labels))
        all_of = Counter(
            dict(labels)["customer"] for key, labels in whole if key == name and "customer" in dict(labels)
        )
        assert all(sizes[one] == all_of[one] for one in sizes)


async def test_the_snapshot_is_taken_in_the_loop_and_the_text_made_beside_it():
    threads = []

    def snapshot():
        threads.append(threading.current_thread())
        return everything()

    body, content_type = await Exporter(snapshot).scrape("")
    assert threads == [threading.main_thread()]
    assert body.decode() == exposition(everything())
    assert content_type.startswith("text/plain")


def test_the_spread_of_durations_counts_how_many_were_at_most_so_long():
    snapshot = everything()
    spread = "sla_clock_elapsed_spread_samples"
    assert [value_of(snapshot, spread, at_most=bound) for bound in ("60", "300", "600", "259200", "+Inf")] == [
        1, 1, 3, 3, 4,
    ]  # fmt: skip
    waits = {bound: value_of(snapshot, "sla_call_wait_spread_samples", at_most=bound) for bound in ("15", "20", "+Inf")}
    assert waits == {"15": 1, "20": 2, "+Inf": 3}


def test_a_spread_is_shown_whole_or_not_at_all():
    """Half of its bounds would look as if the rest had taken no time."""
    snapshot = everything()
    found = samples(snapshot, max_series=12)
    assert not [name for name, _ in found if name == "sla_clock_elapsed_spread_samples"]
    assert value_of_dropped(found, "sla_clock_elapsed_spread_samples") == 13
    assert len([name for name, _ in found if name == "sla_call_wait_spread_samples"]) == 11


def value_of_dropped(found, metric):
    return found["sla_exporter_dropped_series", frozenset({("metric", metric)})]


def test_a_figure_tells_which_kind_of_subject_it_is_of():
    clocks = [
        ClockRule(id="clock", subject="ticket", metric="resolution", budgets={}),
        ClockRule(id="repair", subject="outage", metric="resolve", budgets={}),
    ]
    known = Agreement(
        id="desk", version=1, name="Desk", form="customer", provider="IT", customer="Finance", service="Mail",
        status="accepted", valid_from_ms=0, calendars={}, clocks=tuple(clocks),
        calls=(CallRule(id="hotline", answer_within_ms=20_000),), outages=(OutageRule(id="net"),),
    )  # fmt: skip
    statuses = [
        status(), status(measure="repair"), status("call", measure="hotline"), status("outage", measure="net"),
    ]  # fmt: skip
    snapshot = Snapshot(now_ms=NOW_MS, agreements=[known], statuses=statuses)
    assert value_of(snapshot, "sla_clock_compliance_ratio", kind="ticket") == 0.95
    assert value_of(snapshot, "sla_clock_compliance_ratio", kind="outage", measure="repair") == 0.95
    assert value_of(snapshot, "sla_call_speed_of_answer_seconds", kind="call") == 12.5
    assert value_of(snapshot, "sla_outage_availability_ratio", kind="outage") == 0.95


def test_the_newest_event_tells_which_kind_of_subject_its_source_is_of():
    assert value_of(everything(), "sla_last_event_timestamp_seconds", kind="ticket") == NOW_MS / 1000 - 1.5


def test_how_it_stands_with_each_receiver_is_shown():
    shown = everything()

    assert value_of(shown, "sla_deliveries_total", receiver="on-call", outcome="retry") == 2
    assert value_of(shown, "sla_deliveries_pending", receiver="on-call") == 2
    assert value_of(shown, "sla_deliveries_oldest_pending_seconds", receiver="on-call") == 90
    assert value_of(shown, "sla_pages_open", receiver="on-call") == 3
    assert value_of(shown, "sla_receiver_disabled", receiver="on-call") == 0
    assert value_of(shown, "sla_receiver_disabled", receiver="chat") == 1
    assert value_of(shown, "sla_deliveries_oldest_pending_seconds", receiver="chat") is None
    assert value_of(shown, "sla_deliveries_misconfigured", receiver="on-call") == 0
    assert value_of(shown, "sla_deliveries_misconfigured", receiver="chat") == 1


def test_a_receiver_has_counters_of_failures_before_the_first_one():
    shown = everything()

    assert value_of(shown, "sla_deliveries_total", receiver="chat", outcome="rejected") == 0
    assert value_of(shown, "sla_deliveries_total", receiver="chat", outcome="expired") == 0
    assert value_of(shown, "sla_deliveries_total", receiver="chat", outcome="retry") is None


def test_decisions_not_to_tell_are_counted_by_reason_from_the_start():
    assert value_of(everything(), "sla_alerts_not_told_total", reason="silenced") == 4
    assert value_of(everything(), "sla_alerts_not_told_total", reason="too_old") == 0


def test_an_agreement_shows_when_its_term_ends_and_until_when_notice_can_be_given():
    term = Term("UTC", date(2020, 1, 1), date(2021, 1, 1), Length(months=3), Length(months=12))
    running = term.running(NOW_MS)
    known = [
        agreement(id="renewed", term=term),
        agreement(id="ends", term=term._replace(renews=None, end=date(2100, 1, 1)), terminates_ms=NOW_MS + 1000),
        agreement(id="for-ever"),
    ]
    shown = Snapshot(now_ms=NOW_MS, agreements=known)
    end, notice = "sla_agreement_end_timestamp_seconds", "sla_agreement_notice_until_timestamp_seconds"

    assert value_of(shown, end, agreement="renewed", renewed="true") == running.end_ms / 1000
    assert value_of(shown, notice, agreement="renewed") == running.notice_until_ms / 1000
    assert value_of(shown, end, agreement="ends", renewed="false") == NOW_MS / 1000 + 1
    assert value_of(shown, notice, agreement="ends") is None
    assert value_of(shown, end, agreement="for-ever") is None


def test_an_agreement_shows_its_level_what_binds_who_says_it_and_who_stands_behind_it():
    known = agreement(
        clock("resolution", {"P1": "1h", "*": "4h"}), id="low", version=2, level="service", under="corp",
        origins={"clocks.resolution": Origin("corp", 3, "corporate"),
                 "clocks.resolution.targets.P1": Origin("low", 2, "service")},
    )  # fmt: skip
    draft = agreement(id="low", version=3, status="draft")
    over = agreement(id="old", terminates_ms=NOW_MS)
    ola = agreement(id="ola", kind="ola", supports=(Support("low"), Support("old")))
    shown = Snapshot(now_ms=NOW_MS, agreements=[known, draft, over, ola], supporting={("low", "ola"): 3})

    assert value_of(shown, "sla_agreement_info", agreement="low", version="2", level="service", under="corp") == 1
    assert value_of(shown, "sla_agreement_in_force", agreement="low", version="2") == 1
    assert value_of(shown, "sla_agreement_in_force", agreement="low", version="3") == 0
    assert value_of(shown, "sla_agreement_in_force", agreement="old", version="1") == 0
    assert value_of(shown, "sla_agreement_parts", agreement="low", origin="corp") == 2
    assert value_of(shown, "sla_agreement_parts", agreement="low", origin="low") == 1
    assert value_of(shown, "sla_supporting_breaches_total", agreement="low", supporting="ola") == 3
    assert value_of(shown, "sla_supporting_breaches_total", agreement="old", supporting="ola") == 0
    assert value_of(shown, "sla_agreement_supports", agreement="low", supporting="ola") == 1


def test_an_agreement_shows_its_parties_its_kind_the_details_of_its_service_and_when_its_report_is_due():
    known = agreement(
        clock(), id="lines", parties=(Party("N", "provider"), Party("C", "supplier")), binding="contract",
        details={"bandwidth": "1 Gbit/s"}, reports=(Rights(("customer", "C"), "day"),), allowed_lateness_ms=0,
    )  # fmt: skip
    shown = Snapshot(now_ms=NOW_MS, agreements=[known, agreement(id="over", terminates_ms=NOW_MS - 1)])

    assert value_of(shown, "sla_agreement_info", agreement="lines", binding="contract") == 1
    assert value_of(shown, "sla_agreement_party", agreement="lines", version="1", party="C", role="supplier") == 1
    assert value_of(shown, "sla_agreement_service_detail", agreement="lines", detail="bandwidth", value="1 Gbit/s") == 1
    due = value_of(
        shown, "sla_agreement_report_due_timestamp_seconds", agreement="lines", every="day", to="customer, C"
    )
    assert due == (NOW_MS // 86_400_000 + 1) * 86_400


# -- what breaks next, and the limits that dashboards draw


def due(**instants):
    """A desk whose promises of priorities have open clocks that are due so long (ms) from now."""
    desk = agreement(clock("resolution", {"P1": "4h"}, by=("priority", "office")))
    series = {
        (SeriesKey("desk", "resolution", (priority, "oslo")), 1): [NOW_MS + one for one in told]
        for priority, told in instants.items()
    }
    return Snapshot(now_ms=NOW_MS, agreements=[desk], due=series)


def test_the_time_until_the_next_clock_is_due_is_told_of_each_series():
    snapshot = due(P1=[90_000, 3_600_000, 3_600_001], P2=[7_200_000])
    assert value_of(snapshot, "sla_clocks_due_next_seconds", priority="P1", other="office=oslo", kind="ticket") == 90
    assert value_of(snapshot, "sla_clocks_due_within_hour", priority="P1") == 2
    assert value_of(snapshot, "sla_clocks_due_next_seconds", priority="P2") == 7_200
    assert value_of(snapshot, "sla_clocks_due_within_hour", priority="P2") == 0


def test_what_became_due_since_it_was_looked_for_is_no_more_to_come():
    snapshot = due(P1=[-5_000, 10_000], P2=[-5_000])
    assert value_of(snapshot, "sla_clocks_due_next_seconds", priority="P1") == 10
    assert value_of(snapshot, "sla_clocks_due_within_hour", priority="P1") == 1
    assert value_of(snapshot, "sla_clocks_due_next_seconds", priority="P2") is None


def test_two_versions_of_a_promise_are_one_series():
    one = due(P1=[60_000])
    newer = replace(one.agreements[0], version=2)
    both = {**one.due, (SeriesKey("desk", "resolution", ("P1", "oslo")), 2): [NOW_MS + 30_000]}
    snapshot = replace(one, agreements=[one.agreements[0], newer], due=both)
    assert value_of(snapshot, "sla_clocks_due_next_seconds", priority="P1") == 30
    assert value_of(snapshot, "sla_clocks_due_within_hour", priority="P1") == 2


def test_where_there_is_no_room_for_all_the_nearest_are_shown():
    snapshot = due(P1=[3_000_000], P2=[60_000], P3=[2_000_000])
    shown = samples(snapshot, max_series=2)
    assert sorted(value for (name, _), value in shown.items() if name == "sla_clocks_due_next_seconds") == [60, 2_000]


@pytest.mark.parametrize("word", CODES)
def test_the_number_of_a_verdict_is_that_of_its_word(word):
    snapshot = Snapshot(statuses=[status("clock", verdicts=[verdict(word)])])
    assert value_of(snapshot, "sla_objective_verdict_code") == CODES[word]


def test_limits_are_those_of_the_agreement_in_force():
    calls = CallRule(id="answer", answer_within_ms=20_000)
    sales = LeadRule(id="sales", follow_up_within_ms=1_800_000, attempts=4)
    plain = LeadRule(id="pipeline")
    desk, draft = agreement(calls, sales, plain), agreement(calls, status="draft", id="draft")
    snapshot = Snapshot(now_ms=NOW_MS, agreements=[desk, draft])
    assert value_of(snapshot, "sla_call_answer_within_seconds", measure="answer") == 20
    assert value_of(snapshot, "sla_lead_follow_up_within_seconds", measure="sales") == 1_800
    assert value_of(snapshot, "sla_lead_attempts_promised", measure="sales") == 4
    assert value_of(snapshot, "sla_lead_attempts_promised", measure="pipeline") is None
    assert value_of(snapshot, "sla_lead_follow_up_within_seconds", measure="pipeline") is None
