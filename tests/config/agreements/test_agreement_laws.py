"""Laws of agreement files: whatever passes means the same after its way over Kafka; nothing raises anything else."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.agreements.checking import book_of, parse_agreement, parse_document
from monitor.config.agreements.differences import describe_difference
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.indicators import INDICATORS
from monitor.errors import ConfigError

names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12).filter(str.strip)
durations = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["s", "m", "h", "d"]))
budgets = st.builds("{}{}".format, st.integers(1, 40), st.sampled_from(["s", "m", "h"]))
windows = st.lists(
    st.sampled_from(["30m", "1h", "24h", "2d", "30d", "day", "week", "month", "quarter", "year"]),
    min_size=1,
    max_size=3,
    unique=True,
)
choices = st.dictionaries(
    st.sampled_from(["customer", "service", "queue", "team"]), st.lists(texts, min_size=1, max_size=2), max_size=2
)
by = st.lists(st.sampled_from(["priority", "service", "queue", "team"]), max_size=2, unique=True)
hours = st.lists(
    st.builds("{:02}:{:02}-{:02}:00".format, st.integers(0, 23), st.integers(0, 59), st.integers(0, 24)),
    min_size=1,
    max_size=2,
)
dates = st.dates().filter(lambda day: 1971 <= day.year < 2199).map(lambda day: day.isoformat())
calendars = st.one_of(
    st.just("24x7"),
    st.fixed_dictionaries(
        {"hours": st.dictionaries(st.sampled_from(["mon", "tue-thu", "sat,sun"]), hours, min_size=1)},
        optional={
            "zone": st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
            "holidays": st.sampled_from(
                [
                    {"country": "DE", "subdivision": "BE"},
                    {"dates": ["2026-05-04"]},
                    [],
                    {"dates": {"2026-05-04": "A day off", "2026-05-05": "08:00-12:00"}, "zone": "Asia/Kolkata"},
                    {"country": "IN", "dates": {"2026-05-04": {"name": "Half a day", "open": ["00:00-12:00"]}}},
                ]
            ),
            "exceptions": st.dictionaries(dates, hours | st.just("closed"), max_size=2),
        },
    ),
)
shared = {"where": choices, "by": by, "windows": windows}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return an agreement that should pass: references exist, ids are unique, targets fit their indicators."""
    named = draw(st.dictionaries(names.filter(lambda name: name != "always"), calendars, max_size=2))
    calendar = st.sampled_from(["always", *named])
    ids = draw(st.lists(names, min_size=4, max_size=4, unique=True))
    subject = draw(st.sampled_from(["ticket", "outage", "lead"]))
    # A few hours: a minute a week is enough for them within the range of calendars.
    target = budgets | st.fixed_dictionaries({"within": budgets}, optional={"calendar": calendar})
    metric = draw(st.sampled_from(sorted(METRICS[subject])))
    is_driven = bool(METRICS[subject][metric].course or METRICS[subject][metric].gap)
    clock = st.fixed_dictionaries(
        {
            "id": st.just(ids[0]),
            "subject": st.just(subject),
            "metric": st.just(metric),
            "targets": st.dictionaries(texts, target, min_size=1, max_size=2),
            **({"states": st.just(["new", "waiting:parts"])} if metric == "time_in" else {}),
        },
        optional={
            **shared,
            "calendar": calendar,
            "at_risk": st.lists(st.sampled_from(["50%", "75 %", "90.5%"]), unique=True),
            "pause_on": st.lists(texts, max_size=2),
            # Those that the course of the ticket drives have cycles of their own.
            **({} if is_driven else {"cycles": st.sampled_from(["first", "last", "each", "sum"])}),
        },
    )
    calls = st.fixed_dictionaries(
        {"id": st.just(ids[1]), "answer_within": durations},
        # Longer than any of them: a call is not given up before it is late.
        optional={
            **shared,
            "short_abandon": durations,
            "give_up_after": st.just("91d"),
            "service_level": st.sampled_from(["SL1", "SL6"]),
        },
    )
    outages = st.fixed_dictionaries(
        {"id": st.just(ids[2])},
        optional={
            **shared,
            "service_hours": calendar,
            "overlap": st.sampled_from(["max", "sum"]),
            "maintenance": st.fixed_dictionaries({}, optional={"notice": durations, "cap": durations}),
        },
    )
    indicators = sorted((name, one.unit) for name, one in INDICATORS["clock"].items())
    indicator, unit = draw(st.sampled_from(indicators))
    objective = st.fixed_dictionaries(
        {
            "id": st.just(ids[3]),
            "of": st.just(ids[0]),
            "indicator": st.just(indicator),
            "target": st.just("95 %") if unit == "ratio" else durations,
        },
        optional={"windows": windows, "minimum_sample": st.integers(1, 99)},
    )
    status = draw(st.sampled_from(["draft", "accepted", "terminated"]))
    return draw(
        st.fixed_dictionaries(
            {
                "agreement": names,
                "version": st.integers(1, 99),
                "valid_from": st.sampled_from(["2026-01-01", "2026-01-01T08:00:00+01:00"]),
                "name": texts,
                "form": st.sampled_from(["customer", "service"]),
                "provider": texts,
                "customer": texts,
                "service": texts,
                "status": st.just(status),
                "clocks": clock.map(lambda one: [one]),
                "calendars": st.just(named),
                **(
                    {}
                    if status == "draft"
                    else {"accepted_by": texts, "accepted_on": dates, "terminates": st.just("2030-01-01")}
                ),
            },
            optional={
                "zone": st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "UTC"]),
                "covers": choices,
                "calls": calls.map(lambda one: [one]),
                "outages": outages.map(lambda one: [one]),
                "objectives": objective.map(lambda one: [one]),
                "contacts": st.lists(st.fixed_dictionaries({"role": texts, "phone": texts}), max_size=1),
                "allowed_lateness": durations,
            },
        )
    )


@settings(max_examples=40, deadline=None)
@given(documents())
def test_a_document_means_the_same_after_its_way_through_json(document: dict[str, Any]) -> None:
    before = parse_document(document)
    after = parse_document(orjson.loads(orjson.dumps(document)))

    assert after.agreement == before.agreement
    assert book_of([after]).stamp == book_of([before]).stamp
    assert describe_difference(before.document, after.document) == []


@settings(max_examples=40, deadline=None)
@given(documents(), st.data())
def test_a_spoilt_document_is_an_agreement_or_a_list_of_mistakes(document: dict[str, Any], data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(document, data)

    try:
        parse_agreement(json.loads(json.dumps(document)))
    except ConfigError as refused:
        assert refused.mistakes  # noqa: PT017 - either end is right


def spoil(part: Any, data: st.DataObject) -> None:
    """Replace, drop or add something somewhere below."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    if isinstance(part[key], dict | list) and data.draw(st.booleans()):
        spoil(part[key], data)
    elif data.draw(st.booleans()):
        part[key] = data.draw(
            st.sampled_from([None, 0, -1, 1.5, True, "", "x", "*", [], [[]], {}, {"x": {}}, "0m", "\x1f"])
        )
    elif isinstance(part, dict):
        part[data.draw(st.sampled_from(["x", "id", "hours", "\x1f"]))] = part.pop(key)
    else:
        del part[key]
