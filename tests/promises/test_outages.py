"""The example files of promises about outages do what their comments say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.core.objectives.status import WindowStatus
from monitor.replay.local import run_replay

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def told(outage: str, kind: str, at: str, **attributes) -> Event:
    return Event("outage", outage, Fact(ms(at), 0, f"{outage}-{kind}-{at}", kind, attributes))


def statements(file: str, *events: Event, until: str) -> dict[tuple[str, str, str], WindowStatus]:
    """The statements, by measure, first value of the series, and window with its first day."""
    result = run_replay(events, load_agreements(PROMISES / file), until_ms=ms(until))
    return {
        (
            one.series.measure,
            "".join(one.series.values),
            f"{one.window} {datetime.fromtimestamp(one.from_ms / 1000 + 7200, UTC).date()}",
        ): one
        for one in result.statements
    }


def value(status: WindowStatus, indicator: str) -> float | None:
    return next(one.value for one in status.figures if one.indicator == indicator)


def formula(status: WindowStatus, indicator: str) -> str:
    return next(one.formula for one in status.figures if one.indicator == indicator)


def verdicts(status: WindowStatus) -> dict[str, str]:
    return {one.objective: one.verdict for one in status.verdicts}


class TestInterruptions:
    @pytest.fixture(scope="class")
    @classmethod
    def stated(cls):
        return statements(
            "interruptions.yaml",
            # Monday: 900 of 1,000 for an hour, 200 of them for another one: 1,100 customer hours, 66 min each
            told("O-1", "started", "2026-02-02T10:00+01:00", service="north", customers_affected=900),
            told("O-1", "restored", "2026-02-02T11:00+01:00", customers_affected=200),
            told("O-1", "restored", "2026-02-02T12:00+01:00"),
            # Tuesday: 100 for two hours, and a blink for everybody
            told("O-2", "started", "2026-02-03T10:00+01:00", service="north", customers_affected=100),
            told("O-2", "restored", "2026-02-03T12:00+01:00"),
            told("O-3", "started", "2026-02-03T20:00+01:00", service="north", customers_affected=1_000),
            told("O-3", "restored", "2026-02-03T20:01+01:00"),
            until="2026-03-02T00:00+01:00",
        )

    def test_a_day_is_stated_with_the_time_that_an_average_customer_was_without_power(self, stated):
        monday, tuesday = stated["supply", "north", "day 2026-02-02"], stated["supply", "north", "day 2026-02-03"]

        assert value(monday, "saidi") == 66 * MINUTE_MS
        assert value(tuesday, "saidi") == 12 * MINUTE_MS
        assert (value(tuesday, "saifi"), value(tuesday, "maifi")) == (0.1, 1.0)
        assert verdicts(monday) == {"time-without-power": "breached", "ordinary-days": "met"}, "a major event day"
        assert verdicts(tuesday) == {"time-without-power": "met", "ordinary-days": "met"}

    def test_a_month_is_stated_with_and_without_its_major_event_days(self, stated):
        month = stated["supply", "north", "month 2026-02-01"]

        assert (value(month, "saidi"), value(month, "saidi_net")) == (78 * MINUTE_MS, 12 * MINUTE_MS)
        assert (value(month, "saifi"), value(month, "major_event_days")) == (1.0, 1)
        assert value(month, "caidi") == 78 * MINUTE_MS
        assert value(month, "asai") == pytest.approx(1 - 78 / (28 * 24 * 60))
        assert verdicts(month) == {
            "time-without-power": "breached", "ordinary-days": "met", "interruptions": "met", "length": "met"
        }  # fmt: skip

    def test_a_region_without_an_interruption_is_stated_too(self, stated):
        month = stated["supply", "south", "month 2026-02-01"]

        assert (value(month, "saidi"), value(month, "caidi"), value(month, "asai")) == (0, None, 1)


def test_an_outage_of_unknown_customers_keeps_no_promise_until_an_event_names_them():
    """Given two outages of the north of which no event says how many customers they interrupted, and one of 900."""
    unknown = (
        told("O-1", "started", "2026-02-02T10:00+01:00", service="north"),
        told("O-1", "restored", "2026-02-02T11:00+01:00"),
    )
    storm = (
        told("O-2", "started", "2026-02-03T10:00+01:00", service="north", customers_affected=900),
        told("O-2", "restored", "2026-02-03T12:00+01:00"),
    )
    named = (told("O-1", "impact_changed", "2026-02-02T10:05+01:00", customers_affected=10),)
    end = {"until": "2026-03-02T00:00+01:00"}
    month = "supply", "north", "month 2026-02-01"

    alone, with_storm, known = (
        statements("interruptions.yaml", *events, **end)[month]
        for events in (unknown, unknown + storm, (*unknown[:1], *named, *unknown[1:]))
    )

    assert (value(alone, "saidi"), set(verdicts(alone).values())) == (0, {"no_data"}), "not met"
    assert formula(alone, "saidi") == "sum of r N / N_T, without 1 outage of unknown customers"
    assert verdicts(with_storm)["time-without-power"] == "breached", "it can only be worse than 108 min"
    assert verdicts(with_storm)["interruptions"] == "no_data", "0.9 so far"
    assert set(verdicts(known).values()) == {"met"}


def test_an_interruption_over_new_year_is_stated_whole_in_december_and_january_has_none():
    """Given an outage of all customers of the north, 48 h from 31 December 23:00, when December closes, it is open.

    Dec ──────────── 23:00 ═══╪═══════════════════════ 2 Jan 23:00
                              └ December says: so far   └ month+restored: 2,880 min each, all of December
    """
    stated = statements(
        "interruptions.yaml",
        told("O-1", "started", "2026-12-31T23:00+01:00", service="north", customers_affected=1_000),
        told("O-1", "restored", "2027-01-02T23:00+01:00"),
        until="2027-02-02T00:00+01:00",
    )

    so_far, whole = (stated["supply", "north", f"{name} 2026-12-01"] for name in ("month", "month+restored"))
    assert value(so_far, "saidi") == 75 * MINUTE_MS, "the allowed lateness after the end of the month"
    assert formula(so_far, "saidi") == "sum of r N / N_T; 1 not over"
    assert set(verdicts(so_far).values()) == {"provisional"}
    assert [value(whole, name) for name in ("saidi", "saifi", "caidi")] == [2_880 * MINUTE_MS, 1, 2_880 * MINUTE_MS]
    assert whole.as_of_ms == ms("2027-01-02T23:15+01:00")
    assert verdicts(whole)["time-without-power"] == "breached"

    january = stated["supply", "north", "month 2027-01-01"]
    assert [value(january, name) for name in ("saidi", "saifi", "caidi")] == [0, 0, None]
    assert {key[2] for key in stated if "+" in key[2]} == {"month+restored 2026-12-01", "day+restored 2026-12-31"}


class TestCompositeService:
    @pytest.fixture(scope="class")
    @classmethod
    def stated(cls):
        return statements(
            "composite-service.yaml",
            # app-1 is down for 8 h, app-2 for half an hour of them; the database for 15 min on another day
            told("O-1", "started", "2026-02-02T08:00+01:00", service="app-1"),
            told("O-2", "started", "2026-02-02T10:00+01:00", service="app-2"),
            told("O-2", "restored", "2026-02-02T10:30+01:00", service="app-2"),
            told("O-1", "restored", "2026-02-02T16:00+01:00", service="app-1"),
            told("O-3", "started", "2026-02-03T08:00+01:00", service="db"),
            told("O-3", "restored", "2026-02-03T08:15+01:00", service="db"),
            until="2026-03-02T00:00+01:00",
        )

    def test_the_portal_is_down_while_both_application_servers_are_or_the_database(self, stated):
        monday, tuesday = stated["portal", "", "day 2026-02-02"], stated["portal", "", "day 2026-02-03"]

        assert (value(monday, "downtime"), value(tuesday, "downtime")) == (30 * MINUTE_MS, 15 * MINUTE_MS)
        assert (verdicts(monday)["portal-up"], verdicts(tuesday)["portal-up"]) == ("breached", "breached")
        assert value(stated["portal", "", "day 2026-02-04"], "availability") == 1

    def test_its_parts_are_stated_beside_it(self, stated):
        assert value(stated["parts", "app-1", "day 2026-02-02"], "downtime") == 8 * HOUR_MS

    def test_the_month_counts_its_own_failures(self, stated):
        month = stated["portal", "", "month 2026-02-01"]

        assert value(month, "failures") == 2
        assert value(month, "mtbf") == (28 * DAY_MS - 45 * MINUTE_MS) / 2
        assert verdicts(month) == {"portal-up": "met", "few-failures": "breached"}


class TestAvailability:
    @pytest.fixture(scope="class")
    @classmethod
    def stated(cls):
        acme = {"customer": "acme", "service": "mail"}
        shop = {"customer": "acme", "service": "shop"}
        return statements(
            "availability.yaml",
            # 2 h at half weight, in 3 h of announced work of which the first is without an outage
            told("M-1", "maintenance_announced", "2026-03-01T09:00+00:00", **acme,
                 starts_at_ms=ms("2026-03-10T21:00+00:00"), ends_at_ms=ms("2026-03-11T00:00+00:00")),
            told("O-1", "started", "2026-03-10T22:00+00:00", severity="sev2", **acme),
            told("O-1", "resolved", "2026-03-11T02:00+00:00", severity="sev2", **acme),
            # announced after the fact: excuses nothing
            told("O-2", "started", "2026-03-12T10:00+00:00", severity="sev1", **acme),
            told("O-2", "resolved", "2026-03-12T11:00+00:00", severity="sev1", **acme),
            told("M-2", "maintenance_announced", "2026-03-12T12:00+00:00", **acme,
                 starts_at_ms=ms("2026-03-12T10:00+00:00"), ends_at_ms=ms("2026-03-12T11:00+00:00")),
            # the probe is blind for 10 h, and an outage is known in the last of them
            told("probe-mail", "monitoring_lost", "2026-03-20T00:00+00:00", **acme),
            told("O-3", "started", "2026-03-20T09:00+00:00", severity="sev1", **acme),
            told("O-3", "resolved", "2026-03-20T10:00+00:00", severity="sev1", **acme),
            told("probe-mail", "monitoring_restored", "2026-03-20T10:00+00:00", **acme),
            # the shop: one hour, before it was acme's, and one after
            told("O-4", "started", "2026-03-15T10:00+00:00", severity="sev1", **shop),
            told("O-4", "resolved", "2026-03-15T11:00+00:00", severity="sev1", **shop),
            told("O-5", "started", "2026-03-17T10:00+00:00", severity="sev1", **shop),
            told("O-5", "resolved", "2026-03-17T11:00+00:00", severity="sev1", **shop),
            until="2026-04-02T00:00+00:00",
        )  # fmt: skip

    def test_the_month_of_a_clock_change_is_743_hours_less_what_nobody_saw_and_what_was_excused(self, stated):
        month = stated["services", "mail", "month 2026-03-01"]

        assert value(month, "coverage") == pytest.approx((743 - 9) / 743)
        # sev2 from 00:00 to 02:00 at half weight, and an hour each
        assert value(month, "downtime") == 3 * HOUR_MS
        assert value(month, "availability") == pytest.approx((743 - 9 - 3 - 3) / (743 - 9 - 3))
        assert formula(month, "availability") == "(P - B - X - D') / (P - B - X)"
        assert verdicts(month) == {"available": "breached", "watched": "breached"}

    def test_who_joined_in_the_middle_of_a_month_has_a_shorter_one(self, stated):
        month = stated["services", "shop", "month 2026-03-16"]

        assert value(stated["services", "shop", "day 2026-03-15"], "availability") is None, "not theirs yet"
        assert value(month, "downtime") == HOUR_MS
        assert value(month, "availability") == pytest.approx(1 - 1 / (16 * 24 - 1)), "from the 16th, with a 23 h day"
