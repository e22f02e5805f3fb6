"""The catalogue: every metric once, under names that Prometheus' own linter accepts."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import date

import pytest

from monitor.core.agreements.agreement import Agreement, Rights, Support
from monitor.core.agreements.budget_rule import USUAL_ALERTS, BudgetRule
from monitor.core.agreements.indicators import INDICATORS
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule, ClockRule, Filter
from monitor.core.agreements.objectives import Objective
from monitor.core.agreements.parties import Party
from monitor.core.agreements.term import Length, Term
from monitor.core.objectives.status import Verdict
from monitor.core.time.windows import Window
from monitor.metrics.catalogue import CATALOGUE, catalogue_table
from monitor.metrics.declaring import PREFIX, VERDICTS
from monitor.metrics.own import DROPPED_SERIES
from monitor.metrics.shown import FIGURES, LIVE
from tests.metrics.given import everything, exposition, samples, status

SERIES_SHOWN = 13
"""Room for one spread, but not for the crowd."""


def agreement():
    term = Term("UTC", date(2020, 1, 1), date(2100, 1, 1), renews=Length(months=12))
    return Agreement(
        term=term,
        id="desk", version=2, name="Desk", form="customer", provider="IT", customer="Finance", service="Mail",
        status="accepted", valid_from_ms=0, covers=Filter(), calendars={}, supports=(Support("sla"),),
        clocks=(ClockRule(id="clock", subject="ticket", metric="resolution", budgets={}, by=("priority",)),),
        calls=(CallRule(id="answer", answer_within_ms=20_000),),
        leads=(LeadRule(id="sales", follow_up_within_ms=1_800_000, attempts=4),),
        objectives=(
            Objective(
                id="up", measure="clock", indicator="compliance", comparison=">=", target=0.9, windows=(),
                budget=BudgetRule(Window("month"), alerts=USUAL_ALERTS),
            ),
        ),
        parties=(Party("IT", "provider"), Party("Finance", "customer")), details={"bandwidth": "1 Gbit/s"},
        reports=(Rights(("customer",)),),
    )  # fmt: skip


def whole():
    snapshot = everything()
    crowd = [status(measure=f"m{n}") for n in range(SERIES_SHOWN)]
    return replace(snapshot, agreements=[agreement()], statuses=[*snapshot.statuses, *crowd])


def test_every_metric_of_the_catalogue_is_shown_and_no_other():
    text = exposition(whole(), max_series=SERIES_SHOWN)
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert told == set(CATALOGUE)


def test_every_indicator_of_every_kind_of_measure_has_its_metric():
    assert {kind: set(shown) for kind, shown in FIGURES.items()} == {
        kind: set(indicators) for kind, indicators in INDICATORS.items()
    }


def test_the_unit_of_a_metric_is_the_unit_of_its_indicator_in_base_units():
    base = {"ratio": "ratio", "ms": "seconds", "count": "", "amount": ""}
    for kind, shown in FIGURES.items():
        for indicator, how in shown.items():
            assert how.value.unit == base[INDICATORS[kind][indicator].unit], indicator
            assert how.value.name.endswith(how.value.unit)


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=CATALOGUE)
def test_a_metric_says_what_it_means_and_follows_the_naming_rules(metric):
    assert metric.name.startswith(PREFIX)
    assert metric.help
    assert not metric.help.endswith(".")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not {"subject", "subject_id", "ticket", "call", "outage", "lead", "id"} & set(metric.labels)
    assert len(set(metric.labels)) == len(metric.labels)


def test_all_verdicts_have_a_sample():
    assert set(VERDICTS) == set(Verdict.__args__) - {"provisional"}, "statements say so, no running window does"


def test_an_age_names_the_count_of_what_ages():
    assert all(live.age_of in {"", *shown} for shown in LIVE.values() for live in shown.values())


def test_the_table_for_the_documents_names_every_metric_once():
    table = catalogue_table()
    assert all(table.count(f"`{name}`") == 1 for name in CATALOGUE)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_finds_nothing_to_complain_about():
    text = exposition(whole(), max_series=SERIES_SHOWN)
    assert DROPPED_SERIES.name in text
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=30, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_would_have_complained():
    bad = "# HELP sla_wait_ms Wait\n# TYPE sla_wait_ms counter\nsla_wait_ms 1\n"
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=bad, text=True, capture_output=True, timeout=30, check=False
    )
    assert told.returncode != 0


def test_samples_of_the_whole_are_all_distinct():
    assert len(samples(whole())) > 150
