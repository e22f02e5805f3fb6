"""Who does what, as a contract or informally, on which service; and who gets which statistics when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.config.agreements.differences import describe_difference
from monitor.core.agreements.agreement import Rights
from monitor.core.agreements.parties import Party
from tests.config.conftest import AGREEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

PROMISES = Path(__file__).parents[3] / "deploy" / "promises"
TEXT = (PROMISES / "parties.yaml").read_text(encoding="utf-8")
DAY = 86_400_000


def test_parties_binding_and_details_become_what_they_describe(checked: Checked) -> None:
    check = checked(TEXT)
    assert (check.mistakes, check.warnings) == ((), ())
    agreement = check.documents[0].agreement

    assert agreement.parties == (
        Party("Northern Networks", "provider", ("the line up to the socket", "the desk"), "the socket", ("noc",)),
        Party("ACME", "customer", ("cabling behind the socket",)),
        Party("Copper & Glass Ltd", "supplier", ("repairs cables",), "", ("splicers",)),
    )
    assert (agreement.provider, agreement.customer, agreement.binding) == ("Northern Networks", "ACME", "contract")
    assert agreement.service == "Lines of the branches"
    assert dict(agreement.details) == {
        "type": "network", "equipment_care": "full", "connectivity": "dual-homed", "bandwidth": "1 Gbit/s",
        "ports": "48", "handover": "LC",
    }  # fmt: skip
    assert agreement.reports == (Rights(("customer",), "month", (), 5 * DAY),)


def test_provider_and_customer_alone_are_the_two_parties(checked: Checked, agreement_text: str) -> None:
    agreement = checked(agreement_text).documents[0].agreement
    assert agreement.parties == (Party("IT", "provider"), Party("Finance", "customer"))
    assert (agreement.binding, dict(agreement.details), agreement.reports) == ("", {}, ())


def test_several_of_one_role_are_named_together_or_one_of_them_by_the_short_form(checked: Checked) -> None:
    two = TEXT.replace("role: supplier", "role: provider")
    assert checked(two).documents[0].agreement.provider == "Northern Networks, Copper & Glass Ltd"
    one = two.replace("form: service\n", "form: service\nprovider: Copper & Glass Ltd\n")
    assert checked(one).documents[0].agreement.provider == "Copper & Glass Ltd"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("role: supplier", "rule: supplier", "parties[2].rule: unknown key (did you mean 'role'?)"),
        ("role: supplier", "role: ", "parties[2].role: is empty"),
        ("{name: ACME, role", "{role", "parties[1].name: is missing"),
        ("name: Copper & Glass Ltd", "name: ACME", "parties[2].name: 'ACME' is named twice"),
        ("teams: [splicers]", "teams: [cables, noc]", "parties[2].teams[1]: 'noc' is a team of Northern"),
        ("role: provider", "role: supplier", "provider: is missing"),
        ("form: service\n", "form: service\nprovider: Others\n", "provider: 'Others' is no party with the role"),
        ("binding: contract", "binding: handshake", "binding: must be 'contract' or 'informal', not 'handshake'"),
        ("  type: network", "  typ: network", "service.typ: unknown key (did you mean 'type'?)"),
        ("  bandwidth: 1 Gbit/s\n", "  bandwidth: 1.5\n", "service.bandwidth: must be text"),
        ("{ports: 48", "{bandwidth: 48", "service.details.bandwidth: has a field of its own"),
        ("service:\n  name: Lines of the branches\n", "service:\n", "service.name: is missing"),
        ("within: 5d", "within: 0d", "within: must be longer than 0"),
        ("every: month, within", "every: fortnight, within", "every: must be 'day', 'week'"),
        ("reports: {to: customer,", "reports: {to: customer, statistics: [lines],", "there is no measure 'lines'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(checked: Checked, right: str, wrong: str, told: str) -> None:
    assert right in TEXT
    mistakes = [str(one) for one in checked(TEXT.replace(right, wrong, 1)).mistakes]
    assert any(told in one for one in mistakes), mistakes


def test_parties_without_a_customer_or_all_alone_are_mistakes_and_all_are_told_at_once(checked: Checked) -> None:
    start, _, rest = TEXT.partition("  - {name: ACME")
    alone = start + "service:" + rest.partition("service:")[2]
    text = alone.replace("form: service\n", "form: service\ncustomer: ACME\n").replace("{ports: 48", "{type: 48")
    told = [str(one) for one in checked(text).mistakes]
    assert [any(word in one for one in told) for word in ("one party only", "the role 'customer'", "details.type")] == [
        True, True, True,
    ]  # fmt: skip


def test_whoever_gets_reports_is_a_party_or_a_contact_by_name_or_role(checked: Checked) -> None:
    for who in ("supplier", "ACME", "A. C. Mee", "customer"):
        assert checked(TEXT.replace("to: customer", f"to: {who}")).warnings == ()
    (warning,) = checked(TEXT.replace("to: customer", "to: [customer, suplier]")).warnings
    assert "'suplier' is neither a party nor a contact (did you mean 'supplier'?)" in str(warning)


def test_a_misspelt_receiver_of_reports_is_warned_of_without_a_list_of_parties_too(checked: Checked) -> None:
    """Without ``parties`` a word that nobody is called by got the reports, and nobody saw them."""
    text = AGREEMENT.replace("on-call, email", "service manager, email")
    for who in ("IT", "Finance", "customer", "service manager"):
        found = checked(f"{text}reports: {{to: {who}, every: month}}\n").warnings
        assert not [one for one in found if "reports[0].to" in str(one)]
    (warning,) = [
        one
        for one in checked(f"{text}reports: {{to: service manger, every: month}}\n").warnings
        if "reports[0].to" in str(one)
    ]
    assert "is neither a party nor a contact (did you mean 'service manager'?)" in str(warning)


def test_nothing_to_report_is_warned_of_at_its_entry(checked: Checked) -> None:
    text = TEXT.replace("reports: {to: customer, every: month, within: 5d}", "reports:\n  - {to: customer}\n"
                        "  - {to: customer, every: week}")  # fmt: skip
    (warning,) = checked(text).warnings
    assert "reports[1].every: nothing has the window 'week'" in str(warning)


def test_an_attribute_of_the_service_is_chosen_and_split_by_like_any_other(checked: Checked) -> None:
    fast, others = checked(TEXT).documents[0].agreement.clocks
    assert fast.where.matches({"bandwidth": "10 Gbit/s"})
    assert not fast.where.matches({"bandwidth": "2 Mbit/s"})
    assert others.by == ("service_type", "bandwidth")
    told = str(checked(TEXT.replace("where: {bandwidth", "where: {bandwith")).mistakes[0])
    assert "did you mean 'bandwidth'?" in told


def test_a_change_of_a_party_or_of_a_sum_is_told_where_it_is() -> None:
    old = {
        "parties": [{"name": "N", "role": "supplier", "does": "a"}, {"name": "A", "role": "supplier"}],
        "consequences": {"damages": [{"objective": "up", "fixed": 5}, {"objective": "down", "fixed": 6}]},
        "reports": [{"to": "customer"}],
    }
    new = {
        "parties": [{"name": "A", "role": "supplier"}, {"name": "N", "role": "supplier", "does": "b"}],
        "consequences": {"damages": [{"objective": "up", "fixed": 7}, {"objective": "down", "fixed": 6}]},
        "reports": [{"to": "customer", "every": "week"}],
    }
    assert describe_difference(old, new) == [
        "parties[N].does: a → b",
        "consequences.damages[up].fixed: 5 → 7",
        "reports: [{to: customer}] → [{to: customer, every: week}]",
    ]


def test_parties_and_binding_of_a_level_are_its_own(checked: Checked) -> None:
    text = (PROMISES / "multi-level.yaml").read_text(encoding="utf-8")
    upper, lower = text.split("---\n")
    check = checked(upper.replace("form:", "binding: contract\nform:", 1) + "---\n" + lower)
    assert check.mistakes == ()
    assert {one.id: (one.binding, len(one.parties)) for one in check.agreements} == {
        "everybody": ("contract", 2), "acme": ("", 2),
    }  # fmt: skip
