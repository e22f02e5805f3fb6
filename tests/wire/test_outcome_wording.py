"""What alerts about error budgets and about the right to terminate say to people."""

import pytest

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.wire.wording import explain, summary


def alert(kind, state, reason, value, target, numerator, denominator, window, details=()):  # noqa: PLR0917
    labels = {"agreement": "net", "objective": "up", "measure": "core", "urgency": "page", "service": "ring"}
    key = AlertKey(kind, f"ring|{window}", "net", "up", 1)
    indicator = {"burn": "burn_rate", "termination": "misses"}[kind]
    return Alert(
        "id", key, state, 0, reason, 3, labels, indicator=indicator, window=window, value=value, target=target,
        numerator=numerator, denominator=denominator, details=details,
    )  # fmt: skip


WHO = "up of core for service ring"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            alert("burn", "breached", "burns_budget", 18.0, 14.4, 9.0, 10.0, "1h+5m"),
            (f"{WHO} burns its error budget 18 times too fast in the windows 1h+5m, 14.4 is too much"),
        ),
        (
            alert("burn", "at_risk", "burns_budget", 14.4001, 14.4, 9.0, 10.0, "1h+5m"),
            (f"{WHO} burns its error budget 14.4001 times too fast in the windows 1h+5m, 14.4 is too much"),
        ),
        (
            alert("burn", "breached", "burns_budget", None, 14.4, 1.0, 2.0, "1h+5m"),
            (f"{WHO} burns its error budget infinitely many times too fast in the windows 1h+5m, 14.4 is too much"),
        ),
        (
            alert("burn", "resolved", "burns_less", 2.0, 14.4, 1.0, 10.0, "1h+5m"),
            f"{WHO} burns its error budget less fast again in the windows 1h+5m: 2 times",
        ),
        (
            alert("burn", "resolved", "agreement_changed", None, 14.4, None, None, "1h+5m"),
            f"{WHO}: the alert about up's error budget is resolved, agreement changed",
        ),
        (
            alert("termination", "at_risk", "one_miss_left", 2.0, 3.0, 2.0, 6.0, "month"),
            (f"{WHO} missed its target in 2 of 6 periods (month): one more miss lets the customer terminate"),
        ),
        (
            alert("termination", "breached", "may_terminate", 3.0, 3.0, 3.0, 6.0, "month"),
            f"{WHO} missed its target in 3 of 6 periods (month): the customer may terminate",
        ),
        (
            alert("termination", "resolved", "misses_passed", 1.0, 3.0, 1.0, 6.0, "month"),
            (f"{WHO} missed its target in 1 of 6 periods (month): the customer may not terminate for that any more"),
        ),
        (
            alert(
                "termination",
                "breached",
                "may_terminate_at_once",
                1.0,
                1.0,
                1.0,
                1.0,
                "month",
                (("breach", "a blackout"),),
            ),
            f"{WHO} broke its promise in a way that lets the customer terminate at once: a blackout",
        ),
        (
            alert("termination", "resolved", "breach_passed", 0.0, 1.0, 0.0, 1.0, "month"),
            f"{WHO}: the time in which the customer could terminate at once is over",
        ),
    ],
)
def test_an_alert_is_a_sentence(told, said):
    assert summary(told) == f"{said} (agreement net version 3)."


def test_what_was_counted_stands_beside_it():
    told = explain(alert("burn", "breached", "burns_budget", 18.0, 14.4, 9.0, 10.0, "1h+5m"))
    assert (told["value"], told["target"], told["counted"]) == ("18", "14.4", "9 of 10")
