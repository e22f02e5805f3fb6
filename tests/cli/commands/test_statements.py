"""``statements``: closed periods with their evidence, credits and the countdown of their claims."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.core.objectives.consequence import Consequence, Evidence
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import encode_statement
from tests.cli.commands.test_tail import status
from tests.cli.conftest import Kafka, Run, lines

if TYPE_CHECKING:
    from monitor.core.objectives.status import WindowStatus

EVIDENCE = Evidence("compliance", 0.9, 0.95, 9.0, 10.0, "met / (met + breached)", (1, 2))


def credited(claim_until_ms: int) -> WindowStatus:
    stated = status(closed=True)
    credit = Consequence(
        "desk", 1, "in-time", stated.series, "month", stated.from_ms, stated.to_ms, "credit", EVIDENCE,
        Decimal("1200.00"), Decimal("1200.00"), "EUR", Decimal(12_000), Decimal("0.1"), 0.95, claim_until_ms,
    )  # fmt: skip
    warning = credit._replace(kind="termination_warning", amount=Decimal("0.00"), claim_until_ms=0)
    return stated._replace(consequences=(credit, warning))


def kept() -> WindowStatus:
    stated = status(closed=True)
    verdict = stated.verdicts[0]._replace(verdict="no_data", value=None)
    return stated._replace(window="day", verdicts=(verdict,))


def stated(kafka: Kafka, *statements: WindowStatus) -> None:
    kafka.send(*(Outgoing("statements", *encode_statement(one, "test")) for one in statements))


def test_a_credit_stands_beside_the_verdict_with_what_is_left_of_its_claim(run: Run, kafka: Kafka):
    stated(kafka, credited(wall_ms() + 3_600_000 * 50), kept())
    told = run("statements").stdout
    assert "credit 1200.00 EUR; one miss before termination (2 misses)" in told
    assert "2 d 1 h" in told
    assert "2 of 2 statements." in told
    assert "1 of 1 statement." in run("statements", "--credits").stdout
    assert "1 of 1 statement." in run("statements", "--window", "day").stdout
    assert run("statements", "--agreement", "other").stdout == "No statements.\n"


def test_windows_of_a_fixed_length_are_told_by_the_instant_at_which_they_begin(run: Run, kafka: Kafka):
    stated(kafka, kept()._replace(window="tumbling-15m", from_ms=1_767_610_800_000))
    assert "2026-01-05T11:00Z" in run("statements").stdout


def test_a_claim_that_is_over_says_so(run: Run, kafka: Kafka):
    stated(kafka, credited(wall_ms() - 1))
    assert " over" in run("statements").stdout
    stated(kafka, credited(0)._replace(window="quarter"))
    assert "no limit" in run("statements", "--window", "quarter").stdout


def test_what_a_cap_took_is_told_as_the_statement_says_it(run: Run, kafka: Kafka):
    one = credited(0)
    capped = one.consequences[0]._replace(payable=Decimal("10.00"), bound_by="month")
    stated(kafka, one._replace(consequences=(capped,)))
    told = " ".join(run("statements").stdout.split())
    assert "1200.00 EUR" in told
    (line,) = lines(run("statements", "--json"))
    assert [(each["payable"], each["bound_by"]) for each in line["consequences"]] == [("10.00", "month")]


def test_damages_say_how_they_were_counted_and_a_named_breach_that_the_customer_may_go_at_once(run: Run, kafka: Kafka):
    one = credited(wall_ms() + 3_600_000 * 50)
    damages = one.consequences[0]._replace(
        kind="damages", amount=Decimal("1110.72"), payable=Decimal("1000.00"), bound_by="rule", basis="per_hour",
        quantity=Decimal("9.256000"), rate=Decimal(120),
    )  # fmt: skip
    cases = damages._replace(basis="per_case", quantity=Decimal("3.000000"), rate=Decimal("75.50"), bound_by="")
    right = one.consequences[1]._replace(kind="termination_right", breach="a blackout", claim_until_ms=1)
    stated(kafka, one._replace(consequences=(damages, cases._replace(payable=cases.amount), right)))

    told = " ".join(run("statements").stdout.split())
    for part in ("damages 1110.72 EUR (9.26 h at 120)", "payable 1000.00 (cap of the rule)", "(3 cases at 75.50)"):
        assert all(word in told for word in part.split()), part
    assert "may terminate at once" in told
    (line,) = lines(run("statements", "--json"))
    first, _, last = line["consequences"]
    assert (first["basis"], first["quantity"], first["rate"]) == ("per_hour", "9.256000", "120")
    assert (last["breach"], last["claim_left_ms"]) == ("a blackout", 0)


def test_machines_get_the_evidence(run: Run, kafka: Kafka):
    stated(kafka, credited(wall_ms() + 3_600_000))
    kafka.send(Outgoing("statements", b"k", b"{}"))
    result = run("statements", "--json")
    assert "is none of ours" in result.stderr
    (told,) = lines(result)
    credit, warning = told["consequences"]
    assert (credit["kind"], credit["amount"], credit["payable"], credit["currency"]) == (
        "credit", "1200.00", "1200.00", "EUR",
    )  # fmt: skip
    assert 0 < credit["claim_left_ms"] <= 3_600_000
    assert credit["evidence"] == {
        **{name: value for name, value in EVIDENCE._asdict().items() if name != "misses"}, "misses_ms": [1, 2],
    }  # fmt: skip
    assert (warning["kind"], warning["claim_left_ms"]) == ("termination_warning", None)
    assert (told["version"], told["verdicts"][0]["verdict"]) == (1, "breached")


def test_a_period_is_named_by_the_day_on_which_it_begins_where_it_is_promised(run: Run, kafka: Kafka, folder: Path):
    """Given a month of Berlin, which begins on an evening in UTC."""
    desk = folder / "desk.yaml"
    desk.write_text(desk.read_text() + "zone: Europe/Berlin\n")
    assert run("agreements", "apply", folder, "--yes").exit_code == 0
    stated(kafka, kept()._replace(window="month", from_ms=1_767_222_000_000, to_ms=1_769_900_400_000))

    said = run("statements").stdout

    assert "2026-01-01" in said
    assert "2025-12-31" not in said
