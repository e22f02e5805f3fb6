"""Agreement files: what they become, and that every kind of mistake is told with its line, path and hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.config.agreements.agreement_build import CALL_WINDOWS, CLOCK_WINDOWS
from monitor.config.agreements.checking import (
    book_of,
    check_agreements,
    load_agreements,
    parse_agreement,
    parse_document,
    read_documents,
)
from monitor.config.agreements.outage_build import OUTAGE_WINDOWS
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.measures import AtRisk, Budget
from monitor.core.time.windows import Window
from monitor.demo.leads import SOURCES
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

EXAMPLES = Path(__file__).parents[3] / "deploy" / "agreements"
PROMISES = Path(__file__).parents[3] / "deploy" / "promises"
MINUTE = 60_000
HOUR = 60 * MINUTE
TARGETS = 'targets: {P1: 15m, "*": 4h}'


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def test_a_file_becomes_the_agreement_that_it_describes(checked: Checked, agreement_text: str) -> None:
    check = checked(agreement_text)

    assert check.mistakes == ()
    agreement = check.documents[0].agreement
    (clock,), (calls,), (outages,), (objective,) = (
        agreement.clocks,
        agreement.calls,
        agreement.outages,
        agreement.objectives,
    )
    assert (agreement.id, agreement.version, agreement.status) == ("desk", 1, "accepted")
    assert agreement.valid_from_ms == at("2026-01-01T00:00+01:00")
    assert agreement.terminates_ms is None
    assert agreement.covers.matches({"customer": "finance"})
    assert not agreement.covers.matches({"customer": "hr"})
    assert clock.budgets == {"P1": Budget(15 * MINUTE, "office"), "*": Budget(4 * HOUR, "office")}
    assert clock.at_risk == (AtRisk(percent=50.0), AtRisk(before_ms=10 * MINUTE))
    assert clock.pause_on is None
    assert (clock.by, clock.windows) == (("priority",), CLOCK_WINDOWS)
    assert (calls.answer_within_ms, calls.short_abandon_ms, calls.formula) == (20_000, 5_000, "SL3")
    assert (calls.by, calls.windows) == (("queue",), CALL_WINDOWS)
    assert (outages.by, outages.windows, outages.service_hours) == (("service",), OUTAGE_WINDOWS, "office")
    assert (objective.target, objective.comparison, objective.at_risk) == (0.95, ">=", 0.97)
    assert objective.windows == CLOCK_WINDOWS


@pytest.mark.parametrize(
    ("written", "given_up_ms"),
    [("20s", 4 * HOUR), ("3h", 6 * HOUR), ("20s\n    give_up_after: 30m", 30 * MINUTE)],
)
def test_a_call_is_given_up_after_hours_unless_the_file_says_otherwise(
    written: str, given_up_ms: int, checked: Checked, agreement_text: str
) -> None:
    check = checked(agreement_text.replace("answer_within: 20s", f"answer_within: {written}"))

    assert check.documents[0].agreement.calls[0].give_up_after_ms == given_up_ms


def test_its_calendar_knows_hours_holidays_and_zone(checked: Checked, agreement_text: str) -> None:
    office = checked(agreement_text).documents[0].agreement.calendars["office"]

    friday, monday = at("2026-06-05T16:30+02:00"), at("2026-06-08T09:30+02:00")
    assert office.due(friday, HOUR) == monday
    assert not office.is_open(at("2026-06-05T12:30+02:00")), "lunch"
    assert not office.is_open(at("2027-03-08T10:00+01:00")), "Women's Day is a holiday in Berlin only"


def test_equal_calendars_are_compiled_once(checked: Checked, agreement_text: str) -> None:
    first, second = checked(agreement_text, agreement_text.replace("agreement: desk", "agreement: other")).documents

    assert first.agreement.calendars["office"] is second.agreement.calendars["office"]


def test_around_the_clock_is_the_calendar_that_is_always_there(checked: Checked, agreement_text: str) -> None:
    text = agreement_text.replace(
        "  office:\n", "  nonstop: 24x7\n  allday: {hours: {mon-sun: 00:00-24:00}}\n  office:\n"
    )

    calendars = checked(text).documents[0].agreement.calendars

    assert calendars["nonstop"] is calendars["allday"] is calendars["always"]


def test_lists_of_dates_are_holidays_and_exceptions_open_them(checked: Checked, agreement_text: str) -> None:
    text = agreement_text.replace(
        "holidays: {country: DE, subdivision: BE}",
        "holidays: [2026-06-05, 2026-06-08]\n    exceptions: {2026-06-08: '10:00-11:00', 2026-06-09: closed}",
    )

    office = checked(text).documents[0].agreement.calendars["office"]

    assert office.next_open(at("2026-06-04T18:00+02:00")) == at("2026-06-08T10:00+02:00")
    assert office.next_open(at("2026-06-08T11:00+02:00")) == at("2026-06-10T09:00+02:00")


def test_pauses_can_be_every_reason_some_or_none(checked: Checked, agreement_text: str) -> None:
    def pause_on(line: str) -> frozenset[str] | None:
        check = checked(agreement_text.replace(TARGETS, f"{TARGETS}\n{line}"))
        return check.documents[0].agreement.clocks[0].pause_on

    assert pause_on("") is None
    assert pause_on("    pause_on: [a, b]") == {"a", "b"}
    assert pause_on("    pause_on: a") == {"a"}
    assert pause_on("    pause_on: []") == frozenset()


# What is replaced in the agreement of conftest.py, by what, and what is told of it.
MISTAKES = {
    "unknown key": ("name: Service", "nmae: x\nname: Service", "4: nmae: unknown key (did you mean 'name'?)"),
    "missing key": ("provider: IT\n", "", "1: provider: is missing"),
    "empty value": ("provider: IT", "provider:", "6: provider: is empty"),
    "wrong type": ("version: 1", "version: one", "2: version: must be a whole number, not the text 'one'"),
    "version 0": ("version: 1", "version: 0", "2: version: must be at least 1, not 0"),
    "id with a slash": ("agreement: desk", "agreement: a/b", "1: agreement: is no id: 'a/b' (use letters"),
    "unknown form": ("form: customer", "form: custom", "5: form: must be 'customer', 'service' or 'multi-level', not"),
    "unknown status": ("status: accepted", "status: aproved", "9: status: must be 'draft', 'accepted' or 'terminated'"),
    "accepted by nobody": (
        "accepted_by: F. Inance\n",
        "",
        "9: status: 'accepted' needs accepted_by (an agreement binds",
    ),
    "terminated when": ("status: accepted", "status: terminated", "9: status: 'terminated' needs terminates"),
    "ends before it begins": ("zone: E", "terminates: 2025-12-31\nzone: E", "12: terminates: is not after valid_from"),
    "no date": ("valid_from: 2026-01-01", "valid_from: 2026-13-01", "3: valid_from: is no date: '2026-13-01' (write"),
    "unknown zone": (
        "Europe/Berlin",
        "Europe/Berln",
        "12: zone: is no time zone: 'Europe/Berln' (did you mean 'Europe/",
    ),
    "unknown attribute": (
        "{customer: [f",
        "{custmer: [f",
        "13: covers.custmer: is no attribute to choose by: 'custmer' (did",
    ),
    "number attribute": ("{customer: [f", "{amount: [f", "13: covers.amount: is no attribute to choose by"),
    "no values": ("[finance]", "[]", "13: covers.customer: must have at least 1 item(s)"),
    "contact without address": (", email: desk@it.example", "", "14: contacts[0]: cannot be reached (add an email"),
    "contact with half an address": ("desk@it.example", "desk", "14: contacts[0].email: is no address: 'desk'"),
    "no day": ("mon-fri:", "mon-fry:", "17: calendars.office.hours.mon-fry: is no day of the week: 'fry' (write"),
    "day twice": (
        "mon-fri:",
        'fri: "09:00-10:00", mon-fri:',
        "17: calendars.office.hours: the hours of a day are given twice",
    ),
    "day twice in other words": (
        "mon-fri:",
        '"mon,tue": "09:00-10:00", mon-tue:',
        "17: calendars.office.hours: the hours of a day are given twice",
    ),
    "no interval": (
        '"09:00-12:00"',
        '"9-12"',
        "17: calendars.office.hours.mon-fri: is no time of day: '9' (write 08:00",
    ),
    "no open time": (
        '["09:00-12:00", "13:00-17:00"]',
        "closed",
        "17: calendars.office.hours: leaves every day of the week closed",
    ),
    "unknown country": ("country: DE", "country: XX", "18: calendars.office.holidays.country: is not known: 'XX'"),
    "unknown subdivision": (
        "subdivision: BE",
        "subdivision: QQ",
        "18: calendars.office.holidays.subdivision: is not known of DE",
    ),
    "subdivision of nothing": ("country: DE, ", "", "18: calendars.office.holidays.subdivision: needs a country"),
    "no calendar": (
        "  office:\n",
        "  odd: never\n  office:\n",
        "16: calendars.odd: is no calendar: 'never' (write 24x7",
    ),
    "always redefined": (
        "  office:\n",
        "  always: {hours: {mon: 09:00-10:00}}\n  office:\n",
        "16: calendars.always: 'always' is open",
    ),
    "duplicate YAML key": ("name: Service", "version: 2\nname: Service", "4: version: is given twice, first in line 2"),
    "id used twice": ("id: hotline", "id: response", "26: calls[0].id: 'response' is used twice, first in line 20"),
    "unknown metric": (
        "first_response",
        "frist_response",
        "21: clocks[0].metric: is no metric of a ticket: 'frist_response' (did",
    ),
    "metric of another subject": (
        "first_response",
        "restore",
        "21: clocks[0].metric: is no metric of a ticket: 'restore'",
    ),
    "unknown calendar": (
        "calendar: office",
        "calendar: ofice",
        "22: clocks[0].calendar: there is no calendar 'ofice' (did you mean 'office'?)",
    ),
    "unknown calendar of a target": (
        "P1: 15m",
        "P1: {within: 15m, calendar: x}",
        "23: clocks[0].targets.P1.calendar: there is no calendar 'x'",
    ),
    "unknown service hours": (
        "service_hours: office",
        "service_hours: offce",
        "31: outages[0].service_hours: there is no calendar 'offce'",
    ),
    "budget 0": ("P1: 15m", "P1: 0m", "23: clocks[0].targets.P1: must be longer than 0"),
    "budget without unit": (
        "P1: 15m",
        "P1: 15",
        "23: clocks[0].targets.P1: is no duration: 15 (write a number and a unit",
    ),
    "no targets": (TARGETS, "targets: {}", "23: clocks[0].targets: must have at least 1 item(s)"),
    "at risk beyond the budget": (
        "[50%, 10m]",
        "[50%, 4h]",
        "24: clocks[0].at_risk[1]: is beyond the budget (less time",
    ),
    "at risk after the breach": ("[50%, 10m]", "[50%, 120%]", "24: clocks[0].at_risk[1]: is beyond the budget: '120%'"),
    "at risk twice": ("[50%, 10m]", "[50%, 10m, 50%]", "24: clocks[0].at_risk: entry 3 repeats an earlier one"),
    "unknown cycles": (
        TARGETS,
        f"{TARGETS}\n    cycles: all",
        "24: clocks[0].cycles: must be 'first', 'last', 'each' or 'sum', not",
    ),
    "split by what never repeats": (
        TARGETS,
        f"{TARGETS}\n    by: [caller]",
        "24: clocks[0].by[0]: is no attribute to split figures by",
    ),
    "unknown window": (
        TARGETS,
        f"{TARGETS}\n    windows: [24h, mnth]",
        "24: clocks[0].windows[1]: is no window: 'mnth' (did you mean 'month'?)",
    ),
    "window twice": (
        TARGETS,
        f"{TARGETS}\n    windows: [24h, 1d]",
        "24: clocks[0].windows: entry 2 repeats an earlier one",
    ),
    "no windows": (TARGETS, f"{TARGETS}\n    windows: []", "24: clocks[0].windows: must have at least 1 item(s)"),
    "unknown service level": ("SL3", "SL7", "28: calls[0].service_level: must be 'SL1', 'SL2'"),
    "calls given up too soon": (
        "    answer_within: 20s\n",
        "    answer_within: 20s\n    give_up_after: 20s\n",
        "28: calls[0].give_up_after: is not longer than answer_within",
    ),
    "no answer time": ("    answer_within: 20s\n", "", "26: calls[0].answer_within: is missing"),
    "unknown maintenance": (
        "office\nobj",
        "office\n    maintenance: {exclude: both}\nobj",
        "32: outages[0].maintenance.exclude: unknown key (did you mean 'exclusion'?)",
    ),
    "objective of nothing": (
        "of: response",
        "of: respons",
        "34: objectives[0].of: there is no measure 'respons' (did you mean 'response'?)",
    ),
    "unknown indicator": (
        "compliance",
        "complience",
        "35: objectives[0].indicator: is no figure of a clock: 'complience' (did you mean",
    ),
    "indicator of another measure": (
        "compliance",
        "availability",
        "35: objectives[0].indicator: is no figure of a clock: 'availability'",
    ),
    "service level of a clock": (
        "compliance",
        "service_level",
        "35: objectives[0].indicator: is no figure of a clock: 'service_level'",
    ),
    "target without unit": (
        '">= 95 %"',
        "0.95",
        "36: objectives[0].target: is no percent, duration or count: 0.95 (write 95 %",
    ),
    "target in another unit": ('">= 95 %"', "30s", "36: objectives[0].target: must be a percent (write 95 %)"),
    "target on the wrong side": (
        '">= 95 %"',
        '"<= 95 %"',
        "36: objectives[0].target: of compliance, higher is better (write '>= …')",
    ),
    "warning after the miss": (
        "at_risk: 97 %",
        "at_risk: 94 %",
        "37: objectives[0].at_risk: is not before the target is missed (choose a higher",
    ),
    "warning in another unit": ("at_risk: 97 %", "at_risk: 3m", "37: objectives[0].at_risk: must be a percent"),
    "minimum sample 0": (
        "at_risk: 97 %",
        "minimum_sample: 0",
        "37: objectives[0].minimum_sample: must be at least 1, not 0",
    ),
    "objective twice": (
        "at_risk: 97 %\n",
        "at_risk: 97 %\n  - {id: in-time, of: hotline, indicator: asa, target: 9s}\n",
        "38: objectives[1].id: 'in-time' is used twice, first in line 33",
    ),
    "not YAML": ('">= 95 %"', ">= 95 %", "36: is not YAML: while scanning a block scalar"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_told_with_its_line_path_and_hint(kind: str, checked: Checked, agreement_text: str) -> None:
    before, after, told = MISTAKES[kind]
    assert agreement_text.count(before) == 1, "the part to spoil"

    check = checked(agreement_text.replace(before, after))

    (mistake,) = check.mistakes
    assert check.documents == () or kind == "duplicate YAML key"
    assert Path(mistake.file).name == "0.yaml"
    assert str(mistake).removeprefix(f"{mistake.file}:").startswith(told)


def test_an_agreement_that_measures_nothing_is_refused(checked: Checked, agreement_text: str) -> None:
    (mistake,) = checked(agreement_text[: agreement_text.index("calendars:")]).mistakes

    assert "measures nothing (add clocks, calls, outages, leads or tickets)" in str(mistake)


def test_all_mistakes_of_all_files_are_told_at_once(checked: Checked, agreement_text: str, tmp_path: Path) -> None:
    wrong_shape_and_references = (
        agreement_text.replace("Europe/Berlin", "Europe/Berln")
        .replace("calendar: office", "calendar: ofice")
        .replace("country: DE", "country: XX")
        .replace("of: response", "of: respons")
    )

    check = checked(wrong_shape_and_references, "agreement: x: y", agreement_text.replace("P1: 15m", "P1: 0m"))

    assert [(Path(one.file).name, one.line, one.path) for one in check.mistakes] == [
        ("0.yaml", 12, "zone"),
        ("0.yaml", 18, "calendars.office.holidays.country"),
        ("0.yaml", 22, "clocks[0].calendar"),
        ("0.yaml", 34, "objectives[0].of"),
        ("1.yaml", 1, ""),
        ("2.yaml", 23, "clocks[0].targets.P1"),
    ]
    with pytest.raises(ConfigError) as refused:
        load_agreements(tmp_path)
    assert refused.value.mistakes == list(check.mistakes)


def test_what_every_agreement_must_have_does_not_hide_the_rest_when_it_is_wrong_or_missing(
    checked: Checked, agreement_text: str
) -> None:
    spoilt = (
        agreement_text.replace("version: 1", "version: one")
        .replace("status: accepted", "status: acepted")
        .replace("calendar: office", "calendar: ofice")
        .replace("of: response", "of: respons")
    )
    without_provider = "".join(line for line in spoilt.splitlines(True) if not line.startswith("provider:"))

    paths = [one.path for one in checked(without_provider).mistakes]

    assert paths == ["provider", "version", "status", "clocks[0].calendar", "objectives[0].of"]


def test_a_wrong_definition_does_not_make_its_references_wrong(checked: Checked, agreement_text: str) -> None:
    without_hours = agreement_text.replace("mon-fri:", "mon-fry:").replace("id: response", "id: 'a/b'")

    paths = [one.path for one in checked(without_hours).mistakes]

    assert paths == ["calendars.office.hours.mon-fry", "clocks[0].id"]


WARNINGS = {
    "a draft": ("status: accepted", "status: draft", "9: status: a draft is shown but not enforced"),
    "for everybody": ("covers: {customer: [finance]}", "covers: {}", "5: form: binds for every customer"),
    "accepted afterwards": ("2025-12-01", "2026-02-01", "11: accepted_on: is after valid_from"),
    "priorities without a clock": (TARGETS, "targets: {P1: 15m}", "23: clocks[0].targets: other priorities get no"),
    "never at risk": ("10m]", "20m]", "24: clocks[0].at_risk[1]: warns nobody for P1: that budget is not longer"),
    "overlap": ("12:00", "14:00", "17: calendars.office.hours.mon-fri: intervals overlap: they count once"),
    "unused": ("  office:\n", "  other: {hours: 24x7}\n  office:\n", "16: calendars.other: is used by nothing"),
    "nobody to tell": ("contacts: [{role: on-call, email: desk@it.example}]\n", "", "1: has no contacts"),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_what_is_odd_but_allowed_is_a_warning(kind: str, checked: Checked, agreement_text: str) -> None:
    before, after, told = WARNINGS[kind]
    assert agreement_text.count(before) == 1, "the part to change"

    check = checked(agreement_text.replace(before, after))

    (warning,) = check.warnings
    assert check.mistakes == ()
    assert check.documents[0].warnings == (warning,)
    assert str(warning).removeprefix(f"{warning.file}:").startswith(told)


def test_no_metric_starts_and_stops_at_the_same_event() -> None:
    """Such a clock would never run; metrics are declared in the core, so no file can make one."""
    assert all(not metric.start & metric.stop for metrics in METRICS.values() for metric in metrics.values())


def version(text: str, number: int, valid_from: str) -> str:
    return text.replace("version: 1", f"version: {number}").replace(
        "valid_from: 2026-01-01", f"valid_from: {valid_from}"
    )


def test_versions_of_an_agreement_may_stand_in_several_files_and_documents(
    checked: Checked, agreement_text: str
) -> None:
    second, third = version(agreement_text, 2, "2026-03-01"), version(agreement_text, 3, "2026-05-01")

    check = checked(f"{third}---\n{agreement_text}", second)

    assert check.mistakes == ()
    book = book_of(check.documents)
    found = [book.version("desk", at(f"2026-0{month}-02T00:00Z")) for month in (1, 3, 5)]
    assert [one.version for one in found if one] == [1, 2, 3]


def test_a_version_number_is_used_once(checked: Checked, agreement_text: str) -> None:
    (mistake,) = checked(agreement_text, version(agreement_text, 1, "2026-03-01")).mistakes

    assert (Path(mistake.file).name, mistake.line) == ("1.yaml", 2)
    assert "desk version 1 is also in" in mistake.message
    assert mistake.message.endswith("0.yaml:2")


def test_a_later_version_begins_later(checked: Checked, agreement_text: str) -> None:
    (mistake,) = checked(agreement_text, version(agreement_text, 2, "2026-01-01")).mistakes

    assert (Path(mistake.file).name, mistake.line) == ("1.yaml", 3)
    assert "is not after that of version 1" in mistake.message


def test_no_book_is_made_of_versions_that_contradict_each_other(agreement_text: str, checked: Checked) -> None:
    (document,) = checked(agreement_text).documents

    with pytest.raises(ConfigError, match="desk version 1 is also in"):
        book_of([document, parse_document(dict(document.document), "agreements")])


def test_a_folder_without_agreements_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no agreements"):
        read_documents(tmp_path)


def test_files_and_folders_can_be_mixed(tmp_path: Path, agreement_text: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.yml").write_text(agreement_text)
    (tmp_path / "folder" / "notes.txt").write_text("no agreement")
    (tmp_path / "b.yaml").write_text(agreement_text.replace("agreement: desk", "agreement: other"))

    documents = read_documents([tmp_path / "folder", tmp_path / "b.yaml"])

    assert [one.name for one in documents] == ["desk version 1", "other version 1"]


def test_a_document_over_kafka_is_the_same_agreement(checked: Checked, agreement_text: str) -> None:
    (written,) = checked(agreement_text).documents

    received = parse_document(json.loads(json.dumps(written.document)), "agreements")

    assert received.agreement == written.agreement
    assert received.document == written.document
    assert book_of([received]).stamp == book_of([written]).stamp


@pytest.mark.parametrize("document", [None, [], "x", {}, {"agreement": "a"}, {"agreement": {"a": [{"b": 1}]}}])
def test_a_bad_document_over_kafka_is_refused_without_lines(document: object) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_agreement(document, "agreements")

    assert all(one.line is None and one.file == "agreements" for one in refused.value.mistakes)


def test_the_stamp_of_a_book_tells_contents_apart_and_nothing_else(checked: Checked, agreement_text: str) -> None:
    other = agreement_text.replace("agreement: desk", "agreement: other")
    book = book_of(checked(agreement_text, other).documents)
    moved = book_of(checked(f"# another comment\n{other}---\n{agreement_text}", "").documents)
    changed = book_of(checked(agreement_text.replace("P1: 15m", "P1: 16m"), other).documents)

    assert book.stamp == moved.stamp
    assert book.stamp != changed.stamp
    assert all(0 < one.stamp < 1 << 63 for one in (book, changed, book_of([])))


class TestExamples:
    """The agreements that the project ships, on which the demo runs."""

    def test_they_load_without_mistakes_or_warnings(self) -> None:
        check = check_agreements(EXAMPLES)

        assert check.mistakes == ()
        assert check.warnings == ()
        assert [one.name for one in check.documents] == [
            "call-centre version 1",
            "all-departments version 1",
            "finance-payroll version 1",
            "it-service-desk version 1",
            "network-operator version 1",
            "sales-and-marketing version 1",
            "second-line version 1",
            "carrier version 1",
        ]

    @pytest.mark.parametrize(
        ("attributes", "agreements"),
        [
            *(
                (
                    {"customer": customer, "service": service},
                    [
                        "finance-payroll" if (customer, service) == ("finance", "payroll") else "all-departments",
                        "it-service-desk",
                    ],
                )
                for customer in ("finance", "hr", "logistics")
                for service in ("mail", "payroll", "vpn")
            ),
            *(({"queue": queue}, ["call-centre"]) for queue in ("support", "billing", "sales")),
            *(({"source": source}, ["sales-and-marketing"]) for source in SOURCES),
            *(({"service": service}, ["network-operator"]) for service in ("metro-ring", "dsl-access", "mpls-core")),
        ],
    )
    def test_they_bind_for_the_demo_s_traffic(self, attributes: dict[str, str], agreements: list[str]) -> None:
        book = load_agreements(EXAMPLES)

        assert [one.id for one in book.in_force(attributes, at("2026-11-23T12:00Z"))] == agreements

    def test_they_use_every_part_of_the_format(self) -> None:
        from monitor.config.agreements.agreement_shape import AgreementShape  # noqa: PLC0415 - of this test alone
        from tests.config.parts import parts_of, parts_used  # noqa: PLC0415

        texts = [path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.yaml")]

        assert "# terminates:" in "".join(texts), "shown as a comment: the examples hold on"
        assert parts_of(AgreementShape) - parts_used(EXAMPLES) - parts_used(PROMISES) == {"terminates"}

    def test_the_call_centre_is_shaped_as_its_file_says(self) -> None:
        agreement = load_agreements(EXAMPLES).latest("call-centre")

        assert agreement is not None
        assert (agreement.zone, agreement.allowed_lateness_ms) == ("Europe/Amsterdam", 10 * MINUTE)
        assert [(one.id, one.answer_within_ms, one.formula, one.by) for one in agreement.calls] == [
            ("hotline", 20_000, "SL3", ("queue",)),
            ("sales-line", 10_000, "SL6", ("queue",)),
            ("all-calls", 20_000, "SL1", ()),
        ]
        assert [(one.measure, one.indicator, one.comparison, one.target) for one in agreement.objectives] == [
            ("hotline", "SL3", ">=", 0.8),
            ("sales-line", "SL6", ">=", 0.7),
            ("hotline", "asa", "<=", 30_000),
            ("all-calls", "abandonment_net", "<=", 0.05),
            ("all-calls", "p95", "<=", 120_000),
            ("callback", "compliance", ">=", 0.9),
            ("hotline", "aht", "<=", 360_000),
            ("all-calls", "fcr_flag", ">=", 0.75),
        ]
        assert agreement.objectives[4].windows == (Window("day"),)
