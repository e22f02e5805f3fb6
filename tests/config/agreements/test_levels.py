"""What is wrong between the levels of an agreement, and between it and those that support it, is told with its line."""

import pytest

from monitor.cli.commands.agreements import changes_of
from monitor.config.agreements.checking import check_agreements, parse_document, read_documents
from monitor.errors import ConfigError
from monitor.stream.agents.books import Books, agreement_key
from tests.core.agreements.test_levels import ACME, AMENDED, CORPORATE, HEAD, PAYROLL

TEXT = """\
agreement: corp
version: 1
valid_from: 2026-01-01
name: n
form: multi-level
level: corporate
provider: p
customer: c
service: s
status: accepted
accepted_by: me
accepted_on: 2025-12-01
covers: {customer: [acme, other]}
contacts: [{role: x, phone: "1"}]
calendars: {office: {hours: {mon-fri: "09:00-17:00"}}}
clocks:
  - {id: solve, metric: resolution, targets: {"*": 8h}, calendar: office}
---
agreement: acme
version: 1
valid_from: 2026-01-01
name: n
form: multi-level
level: customer
under: corp
provider: p
customer: c
service: s
status: accepted
accepted_by: me
accepted_on: 2025-12-01
covers: {customer: acme}
clocks:
  - {id: solve, targets: {P1: 1h}}
"""


def told(tmp_path, *changes):
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "levels.yaml"
    path.write_text(text, encoding="utf-8")
    found = check_agreements(path)
    return [str(one).removeprefix(f"{path}:") for one in (*found.mistakes, *found.warnings)]


def test_levels_that_fit_together_are_without_mistakes(tmp_path):
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "start"),
    [
        ("under: corp", "under: corpo", "25: under: there is no agreement 'corpo' (did you mean 'corp'?)"),
        ("level: customer", "level: corporate", "25: under: the corporate level is the uppermost one"),
        ("form: multi-level\nlevel: customer", "form: service", "23: form: 'service' has no levels"),
        ("level: customer\n", "", "23: form: 'multi-level' needs level"),
        ("{id: solve, targets: {P1: 1h}}", "{id: mine, targets: {P1: 1h}}", "34: clocks[1].metric: is missing"),
        ("{P1: 1h}}", "{P1: 1h}, calendar: ofice}", "34: clocks[0].calendar: there is no calendar 'ofice'"),
        ("{id: solve, targets: {P1: 1h}}", "solve", "34: clocks[0]: must be a map of keys and values, not the text"),
        ("{P1: 1h}}", "{P1: soon}}", "34: clocks[0].targets.P1: is no duration"),
        ("name: n\nform: multi-level\nlevel: customer", "form: multi-level\nlevel: customer", "19: name: is missing"),
        ("covers: {customer: acme}", "covers: {customer: [acme, more]}", "32: covers: covers customer that corp does"),
        ("covers: {customer: acme}", "zone: Asia/Tokyo\ncovers: {customer: acme}", "32: zone: is not that of corp,"),
        ("corporate\nprovider: p\ncustomer: c\nservice: s\nstatus: accepted",
         "corporate\nprovider: p\ncustomer: c\nservice: s\nstatus: draft", "25: under: corp is not accepted: nothing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_between_levels_is_told_with_its_line(tmp_path, old, new, start):
    assert any(one.startswith(start) for one in told(tmp_path, (old, new))), told(tmp_path, (old, new))


def test_a_level_under_one_that_is_not_above_it_is_a_mistake(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(TEXT.replace("level: corporate", "level: service"), encoding="utf-8")
    with pytest.raises(ConfigError, match="a customer level cannot stand under corp, level service"):
        read_documents(path)


OLA = HEAD | {
    "agreement": "ola", "form": "service", "kind": "ola", "supports": {"corp": "solve"},
    "clocks": [{"id": "work", "metric": "resolution", "targets": {"*": "9h"}}],
    "contacts": [{"role": "x", "phone": "1"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "sla"}, "an SLA supports nothing"),
        ({"supports": []}, "this OLA supports no SLA"),
        ({"supports": "crop"}, "there is no agreement 'crop' here (did you mean 'corp'?)"),
        ({"supports": {"corp": ["solv"]}}, "corp has no clock 'solv'"),
        ({}, "for all other priorities they add up to 9h (ola), but solve of corp has 8h, in the open hours of each"),
        ({"calendars": CORPORATE["calendars"], "clocks": [OLA["clocks"][0] | {"calendar": "office"}]},
         "they add up to 9h (ola), but solve of corp has 8h, in the same open hours"),
    ],
)  # fmt: skip
def test_support_that_cannot_be_meant_is_told(tmp_path, changes, said):
    import json  # noqa: PLC0415 - JSON is YAML too

    for name, one in (("corp", CORPORATE), ("ola", OLA | changes)):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(one), encoding="utf-8")
    found = check_agreements(tmp_path)

    assert any(said in str(one) for one in (*found.mistakes, *found.warnings)), found


def record(document):
    import orjson  # noqa: PLC0415 - of this alone

    return agreement_key(document["agreement"], document["version"]), orjson.dumps(document)


def test_a_worker_hears_of_levels_in_any_order():
    books = Books()
    for one in (PAYROLL, AMENDED, ACME, CORPORATE):
        books.take([record(one)])

    payroll = books.book.exact("payroll", 1)
    assert (books.refused, payroll.lineage) == (0, ("corp", "acme"))


def test_an_amendment_that_takes_what_a_lower_level_needs_is_refused_and_what_was_in_force_stays():
    books = Books()
    lower = ACME | {"clocks": [{"id": "own", "metric": "resolution", "targets": {"*": "1h"}, "calendar": "office"}]}
    books.take([record(CORPORATE), record(lower)])

    books.take([record(AMENDED | {"calendars": {}})])

    assert books.refused == 1
    assert books.book.latest("corp").version == 1
    assert books.book.exact("acme", 1).measure("own") is not None


def test_while_a_level_above_is_not_in_force_what_needs_it_promises_nothing(tmp_path):
    head = "version: 1\nvalid_from: {}\nname: n\nform: multi-level\nlevel: customer"
    (said,) = told(tmp_path, (head.format("2026-01-01"), head.format("2025-12-01")))

    assert said.startswith("25: under: corp is not in force all the time: what needs it promises nothing then")


def test_what_is_published_already_stands_above_what_is_applied():
    published = {agreement_key("corp", 1): parse_document(CORPORATE)}

    (change,) = changes_of([parse_document(ACME)], published)

    assert change.document.agreement.under == "corp"
    with pytest.raises(ConfigError, match="there is no agreement 'corp'"):
        changes_of([parse_document(ACME)], {})
