"""What people read: the sentence that wakes somebody says who, what was promised, and what became of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.wire.times import duration, instant
from monitor.wire.wording import explain, of_number, plural, quantity, shown_apart, summary
from tests.wire import strategies

MINUTE = 60_000
HOUR = 60 * MINUTE
AT_MS = 1_795_438_800_000  # 2026-11-23 13:00 UTC

CLOCK = Alert(
    "0" * 32,
    AlertKey("ticket", "T-17", "it-desk", "first_response", 1),
    "at_risk",
    AT_MS,
    "elapsed_75",
    3,
    {
        "agreement": "it-desk",
        "promise": "first_response",
        "subject": "ticket",
        "metric": "first_response",
        "customer": "finance",
    },
    start_ms=AT_MS - 45 * MINUTE,
    due_ms=AT_MS + 15 * MINUTE,
    budget_ms=HOUR,
    elapsed_ms=45 * MINUTE,
    wall_ms=45 * MINUTE,
    details=(("priority", "P1"), ("team", "")),
)
OBJECTIVE = Alert(
    "1" * 32,
    AlertKey("objective", "finance|24h", "it-desk", "response_95", 1),
    "breached",
    AT_MS,
    "below_target",
    3,
    {
        "agreement": "it-desk",
        "objective": "response_95",
        "measure": "first_response",
        "indicator": "compliance",
        "window": "24h",
        "customer": "finance",
    },
    indicator="compliance",
    window="24h",
    value=27 / 29,
    target=0.95,
    numerator=27,
    denominator=29,
)
CONTEXT = "(agreement it-desk version 3, customer finance, priority P1)."


class TestClocks:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, "Ticket T-17 is about to miss first_response: 15 min left of 1 h, due 2026-11-23 13:15 UTC"),
            (
                {"state": "breached", "reason": "due", "elapsed_ms": HOUR, "due_ms": AT_MS},
                "Ticket T-17 missed first_response: 1 h were allowed, due 2026-11-23 13:00 UTC",
            ),
            (
                {"state": "resolved", "reason": "stopped", "elapsed_ms": 130 * MINUTE},
                "Ticket T-17 is done with first_response, too late: after 2 h 10 min of 1 h",
            ),
            (
                {"state": "resolved", "reason": "stopped_in_time"},
                "Ticket T-17 is done with first_response in time: after 45 min of 1 h",
            ),
            (
                {"state": "voided", "reason": "stopped_in_time"},
                "Ticket T-17 did not miss first_response after all, it came out: done after 45 min of 1 h",
            ),
            (
                {"state": "voided", "reason": "cancelled"},
                "Ticket T-17 was cancelled: the alert about first_response is void",
            ),
            (
                {"state": "voided", "reason": "agreement_changed"},
                "Ticket T-17 is promised first_response no more: the agreement changed, the alert is void",
            ),
            (
                {"state": "rearmed", "reason": "due_moved"},
                (
                    "Ticket T-17 has more time for first_response than was thought, the alert is taken back: "
                    "15 min left, due 2026-11-23 13:15 UTC"
                ),
            ),
            (
                {"state": "voided", "reason": "some_day"},
                "Ticket T-17: the alert about first_response is voided, some day",
            ),
        ],
    )
    def test_each_announcement_has_its_sentence(self, changes, expected):
        assert summary(CLOCK._replace(**changes)) == f"{expected} {CONTEXT}"

    def test_a_later_cycle_is_named(self):
        alert = CLOCK._replace(key=CLOCK.key._replace(cycle=2))

        assert "first_response (cycle 2)" in summary(alert)

    def test_backfill_says_that_it_comes_late(self):
        assert summary(CLOCK._replace(backfill=True)).endswith("This happened a while ago and is told late.")

    def test_what_changes_stands_in_annotations(self):
        found = explain(CLOCK)

        assert found == {
            "summary": summary(CLOCK),
            "due": "2026-11-23 13:15 UTC",
            "elapsed": "45 min of 1 h",
            "remaining": "15 min",
        }

    def test_time_over_the_budget_is_overdue_and_nothing_remains(self):
        found = explain(CLOCK._replace(state="resolved", reason="stopped", elapsed_ms=130 * MINUTE))

        assert found["overdue"] == "1 h 10 min"
        assert "remaining" not in found

    def test_what_is_unknown_is_left_out(self):
        unknown = CLOCK._replace(due_ms=None, budget_ms=None, elapsed_ms=None)

        assert list(explain(unknown)) == ["summary"]
        assert (
            summary(unknown._replace(state="breached"))
            == f"Ticket T-17 missed first_response: the time allowed were allowed {CONTEXT}"
        )

    def test_a_figure_that_only_a_newer_release_has_is_told_in_plain_numbers(self):
        newer = OBJECTIVE._replace(indicator="haste", value=7.5, target=8.0, numerator=15, denominator=2)

        found = explain(newer)
        assert (found["value"], found["target"], found["counted"]) == ("7.5", "8", "15 of 2")

    def test_a_subject_with_a_very_long_id_leaves_room_for_the_rest(self):
        alert = CLOCK._replace(key=CLOCK.key._replace(what="x" * 512))

        assert len(summary(alert)) < 300


class TestObjectives:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, "is 93.1 % (27 of 29) in the window 24h and misses its target of 95 %"),
            (
                {"state": "at_risk", "reason": "near_target", "value": 0.9545},
                "is 95.45 % (27 of 29) in the window 24h, close to missing its target of 95 %",
            ),
            (
                {"state": "resolved", "reason": "target_met", "value": 0.96},
                "is 96 % (27 of 29) in the window 24h and keeps its target of 95 % again",
            ),
        ],
    )
    def test_each_announcement_has_its_sentence(self, changes, expected):
        sentence = summary(OBJECTIVE._replace(**changes))

        assert (
            sentence == f"compliance of first_response for customer finance {expected} (agreement it-desk version 3)."
        )

    @pytest.mark.parametrize("reason", ["no_data", "period_closed", "terminated"])
    def test_every_end_says_why(self, reason):
        endings = {summary(OBJECTIVE._replace(state="resolved", reason=one)) for one in ("target_met", reason)}

        assert len(endings) == 2

    def test_a_window_without_data_has_no_value_but_a_target(self):
        found = explain(
            OBJECTIVE._replace(state="resolved", reason="no_data", value=None, numerator=None, denominator=None)
        )

        assert set(found) == {"summary", "target"}
        assert "there is nothing left to measure in the window 24h" in found["summary"]

    def test_a_miss_by_a_hair_does_not_look_like_a_hit(self):
        found = explain(OBJECTIVE._replace(value=0.999_999, target=1.0, indicator="availability"))

        assert (found["value"], found["target"]) == ("99.9999 %", "100 %")
        found = explain(OBJECTIVE._replace(value=0.998_996, target=0.999))
        assert (found["value"], found["target"]) == ("99.8996 %", "99.9 %")

    def test_durations_are_told_as_such(self):
        found = explain(
            OBJECTIVE._replace(
                indicator="mean", value=4_000_000.0, target=3_600_000.0, numerator=8_000_000, denominator=2
            )
        )

        assert (found["value"], found["target"], found["counted"]) == ("1 h 6 min", "1 h", "2 h 13 min of 2")

    def test_availability_counts_time(self):
        found = explain(OBJECTIVE._replace(indicator="availability", numerator=23 * HOUR, denominator=24 * HOUR))

        assert found["counted"] == "23 h of 24 h"


class TestQuantities:
    @pytest.mark.parametrize(
        ("amount_ms", "expected"),
        [
            (0, "0 s"),
            (250, "250 ms"),
            (999, "999 ms"),
            (1_500, "1 s"),
            (59_999, "59 s"),
            (90_000, "1 min 30 s"),
            (HOUR, "1 h"),
            (HOUR + 59_000, "1 h"),
            (25 * HOUR + MINUTE, "25 h 1 min"),
            (900 * HOUR, "900 h"),
            (-90_000, "−1 min 30 s"),
        ],
    )
    def test_durations_have_two_units_at_most(self, amount_ms, expected):
        assert duration(amount_ms) == expected

    def test_instants_have_seconds_only_where_it_matters(self):
        assert instant(AT_MS) == "2026-11-23 13:00 UTC"
        assert instant(AT_MS + 5_999) == "2026-11-23 13:00:05 UTC"

    @pytest.mark.parametrize(
        ("unit", "value", "expected"),
        [
            ("ratio", 1.0, "100 %"),
            ("ratio", 0.5, "50 %"),
            ("ratio", 0.0, "0 %"),
            ("count", 10.0, "10"),
            ("count", 2.5, "2.5"),
            ("ms", 61_000.4, "1 min 1 s"),
        ],
    )
    def test_figures_are_told_in_their_unit(self, unit, value, expected):
        assert quantity(unit, value) == expected

    @pytest.mark.parametrize(
        ("unit", "value", "target", "expected"),
        [
            ("ratio", 0.9, 0.95, ("90 %", "95 %")),
            ("ratio", 0.999489, 0.9995, ("99.949 %", "99.95 %")),
            ("ms", 31_000, 30_000, ("31 s", "30 s")),
            ("ms", 30_077, 30_000, ("30.077 s", "30 s")),
            ("ms", 30_000.25, 30_000, ("30.00025 s", "30 s")),
            ("ms", 30_000, 30_000, ("30 s", "30 s")),
            ("ms", 2 * HOUR + 5_000, 2 * HOUR, ("7205 s", "7200 s")),
            ("count", 3, 3.5, ("3", "3.5")),
        ],
    )
    def test_a_value_that_misses_its_target_does_not_read_like_it(self, unit, value, target, expected):
        assert shown_apart(unit, value, target) == expected


@given(strategies.alerts())
def test_every_alert_can_be_explained(alert):
    found = explain(alert)

    assert all(found.values())
    assert found["summary"].rstrip().endswith((").", "told late."))


@given(strategies.alerts(), st.floats(-10, 10), st.floats(-10, 10))
def test_value_and_target_that_differ_visibly_read_differently(alert, value, target):
    found = explain(
        alert._replace(key=alert.key._replace(kind="objective"), indicator="compliance", value=value, target=target)
    )

    assert (found["value"] != found["target"]) or abs(value - target) < 1e-9


def test_a_customer_who_changed_is_told_once_and_as_he_is_now():
    moved = CLOCK._replace(details=(("customer", "hr"), ("priority", "P1")))

    assert summary(moved).endswith("(agreement it-desk version 3, customer hr, priority P1).")


@pytest.mark.parametrize(
    ("count", "told", "expected"),
    [
        (2, "rows rejected", "rows rejected"),
        (0, "rows rejected", "rows rejected"),
        (1, "rows rejected", "row rejected"),
        (1, "rows that stand in the data twice", "row that stands in the data twice"),
        (1, "events were not taken: late", "event was not taken: late"),
        (1, "subjects whose events contradict each other", "subject whose events contradict each other"),
    ],
)
def test_what_is_told_of_many_is_told_of_one(count, told, expected):
    assert of_number(count, told) == expected


def test_numbers_have_their_noun():
    assert [plural(one, "breach", "breaches") for one in (0, 1, 1204)] == ["0 breaches", "1 breach", "1,204 breaches"]
