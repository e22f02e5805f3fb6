"""A service of which nothing is heard for too long is not monitored: the example file does what its comment says."""

import pytest

from tests.promises.test_outages import DAY_MS, HOUR_MS, MINUTE_MS, formula, ms, statements, told, value, verdicts

FROM_MS = ms("2026-03-02T00:00+00:00")


def beats(service, *stretches, every=5):
    """Heartbeats of a service's probe in stretches of minutes, both ends included."""
    probe = f"probe-{service}"
    return [
        told(probe, "heartbeat", _at(minute), service=service, customer="acme")
        for first, last in stretches
        for minute in range(first, last + 1, every)
    ]


def _at(minute):
    day, rest = divmod(minute, 1440)
    return f"2026-03-{2 + day:02}T{rest // 60:02}:{rest % 60:02}+00:00"


class TestADayWithSilence:
    @pytest.fixture(scope="class")
    @classmethod
    def stated(cls):
        return statements(
            "silence.yaml",
            # the probe of mail is silent from 10:00 to 11:00; an outage is told at 15:00, and nothing until 15:30
            *beats("mail", (0, 600), (660, 900), (930, 1440)),
            told("O-1", "started", _at(900), service="mail", customer="acme"),
            told("O-1", "resolved", _at(930), service="mail", customer="acme"),
            until=_at(2 * 1440),
        )

    def test_a_service_is_blind_from_so_long_after_its_last_event_to_the_next_one(self, stated):
        mail = stated["services", "mail", "day 2026-03-02"]

        assert value(mail, "coverage") == (1440 - 50) / 1440
        assert verdicts(mail)["watched"] == "breached"

    def test_the_base_of_availability_shrinks_as_by_announced_blind_time_and_a_known_outage_counts(self, stated):
        mail = stated["services", "mail", "day 2026-03-02"]

        assert value(mail, "downtime") == 30 * MINUTE_MS
        assert value(mail, "availability") == pytest.approx((1440 - 50 - 30) / (1440 - 50))
        assert formula(mail, "availability") == "(P - B - X - D') / (P - B - X)"

    def test_what_nobody_has_ever_heard_of_was_never_watched_and_has_no_availability(self, stated):
        shop = stated["services", "shop", "day 2026-03-02"]

        assert (value(shop, "coverage"), value(shop, "availability"), value(shop, "downtime")) == (0, None, None)
        assert verdicts(shop)["watched"] == "breached"

    def test_a_service_made_of_both_is_blind_while_one_is_silent_but_in_a_known_outage(self, stated):
        assert value(stated["hosting", "", "day 2026-03-02"], "coverage") == 30 / 1440


def test_a_probe_that_beats_every_half_minute_for_a_day_fills_no_ledger():
    beat = told("probe-mail", "heartbeat", _at(0), service="mail", customer="acme")
    events = [
        beat._replace(fact=beat.fact._replace(id=f"b-{number}", time_ms=FROM_MS + number * 30_000))
        for number in range(DAY_MS // 30_000)
    ]
    stated = statements("silence.yaml", *events, until="2026-03-04T06:00+00:00")

    assert value(stated["services", "mail", "day 2026-03-02"], "coverage") == 1
    last = stated["services", "mail", "day 2026-03-03"]
    assert value(last, "coverage") == pytest.approx((10 * MINUTE_MS - 30_000) / (24 * HOUR_MS))
