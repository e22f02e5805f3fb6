"""Books and histories of calls for the law of the native fast path."""

from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from monitor import demo
from monitor.config.agreements.checking import load_agreements
from monitor.core.agreements.measures import CallRule, Filter
from monitor.core.agreements.objectives import Objective
from monitor.core.facts.events import Event, Fact
from monitor.core.time.windows import Window
from tests.core.stories import DAY_MS, MONDAY_MS, agreement, clock

SECOND, MINUTE = 1_000, 60_000
HOUR = 60 * MINUTE
COMMON = ("answered", "answered", "abandoned", "ended", "ended", "held", "retrieved", "transferred")
TYPES = (*COMMON, "callback_requested", "queued", "rated")
QUEUES, CUSTOMERS, ISSUES = ("support", "billing", "vertrieb €"), ("acme", "other"), ("login", "")
HALF_HOUR, MONTH = Window("rolling", 30 * MINUTE), Window("month")
HOTLINE = CallRule(
    id="hotline", answer_within_ms=20 * SECOND, by=("queue",),
    windows=(HALF_HOUR, Window("rolling", DAY_MS), Window("day"), MONTH),
)  # fmt: skip
ALL = CallRule(id="all", answer_within_ms=20 * SECOND, repeat_within_ms=DAY_MS, windows=(Window("day"),))
STRICT = CallRule(
    id="strict", answer_within_ms=10 * SECOND, short_abandon_ms=0, give_up_after_ms=2 * MINUTE, strict=True,
    by=("queue", "team", "customer"), windows=(HALF_HOUR,), where=Filter(any_of=(("queue", frozenset(QUEUES[:2])),)),
)  # fmt: skip
P95 = Objective(
    id="p95", measure="hotline", indicator="p95", comparison="<=", target=21 * SECOND, windows=(Window("day"),)
)
ONLY_ACME = Filter(any_of=(("customer", frozenset({"acme"})),))
CALLBACK = clock("callback", {"*": "1h"}, subject="call", by=("queue",))
PLAIN = (agreement(HOTLINE, objectives=(P95,)),)


def amended():
    """Versions that begin within the history, in days of another zone, and an agreement for one customer."""
    whole = replace(agreement(HOTLINE, STRICT, objectives=(P95,)), zone="Pacific/Chatham")
    later = replace(
        whole, version=2, valid_from_ms=MONDAY_MS + 100 * MINUTE + 1, calls=(replace(HOTLINE, by=()), STRICT)
    )
    return whole, later, agreement(STRICT, ALL, id="acme", covers=ONLY_ACME, valid_from=MONDAY_MS + 3 * HOUR)


CENTRE = load_agreements(Path(demo.__file__).parent / "agreements" / "call-centre.yaml").agreements
"""The demo's call centre: four measures of calls and one of callbacks."""
BOOKS = [
    PLAIN,
    (agreement(HOTLINE, STRICT, ALL, objectives=(P95,), allowed_lateness_ms=HOUR),),
    amended(),
    (agreement(HOTLINE, CALLBACK),),
    CENTRE,
    (agreement(ALL, STRICT),),
]

VALUES = ({}, {"talk_ms": 170_000, "wrap_up_ms": 0}, {"talk_ms": 1, "hold_ms": 2, "idle_ms": 5, "resolved": False})
SCORES = (0.0, 4.0, 4.25, 3.3335, 1e6, -1.5)


@st.composite
def facts_of(draw, subject, kinds):
    """The facts of one call in the order in which they happened."""
    at = (
        MONDAY_MS
        + draw(st.sampled_from([0, 0, 0, 95 * MINUTE, DAY_MS, DAY_MS - 10 * MINUTE]))
        + draw(st.integers(0, 600)) * SECOND
    )
    known = {"queue": draw(st.sampled_from(QUEUES)), "customer": draw(st.sampled_from(CUSTOMERS))}
    if draw(st.booleans()):
        known |= {"caller": draw(st.sampled_from(["", "c-1", "c-2"])), "issue": draw(st.sampled_from(ISSUES))}
    if draw(st.booleans()):
        known["team"] = "desk"
    facts = []
    first = draw(st.sampled_from(["queued"] * 9 + list(TYPES)))
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(kinds)) if number else first
        brought = draw(st.sampled_from([dict(known), {}, dict(reversed(known.items())), {"agent": "Ada"}]))
        brought = dict(known) if number == 0 else brought
        if kind == "ended":
            brought |= draw(st.sampled_from([*VALUES, {"resolved": True}]))
        if kind == "rated" or draw(st.integers(0, 6)) == 0:
            brought["score"] = draw(st.sampled_from(SCORES))
        if draw(st.integers(0, 12)) == 0:
            brought |= draw(st.sampled_from([{"queue": "sales"}, {"priority": "P1"}, {"weight": 0.5}, {"team": "x"}]))
        facts.append(Fact(at, draw(st.integers(0, 1)), f"{subject}-{number}", kind, brought))
        at += draw(st.sampled_from([0, 1, SECOND, 4 * SECOND, 20 * SECOND, MINUTE, 3 * MINUTE, 20 * MINUTE, 5 * HOUR]))
    return [Event("call", f"C-{subject}", fact) for fact in facts]


@st.composite
def histories(draw):
    """Facts of a few calls in the order in which they arrive: mostly as they happened."""
    kinds = draw(st.sampled_from([COMMON, TYPES]))
    events = [one for subject in range(draw(st.integers(1, 7))) for one in draw(facts_of(subject, kinds))]
    events.sort(key=lambda one: one.fact[:3])
    if draw(st.integers(0, 3)) == 0:  # some come late, some twice
        for _ in range(draw(st.integers(1, 3))):
            events.insert(draw(st.integers(0, len(events))), events.pop(draw(st.integers(0, len(events) - 1))))
        events += draw(st.lists(st.sampled_from(events), max_size=2))
    return events


def warming(number):
    """Calls from which the native path learns by which rules calls are counted, and the days of its panes."""
    return [
        of(f"W-{number}-{at}-{place}", 0, "queued", at, queue=queue, **more)
        for at in (MONDAY_MS, MONDAY_MS + 2 * HOUR, MONDAY_MS + 5 * HOUR, MONDAY_MS + DAY_MS)
        for place, (queue, more) in enumerate(
            (queue, more) for queue in QUEUES for more in ({}, {"customer": "acme"}, {"customer": "other"})
        )
    ]


def of(subject, number, kind, at_ms, **attributes):
    return Event("call", subject, Fact(at_ms, 0, f"{subject}-{number}", kind, attributes))


def plain_job(calls=400):
    """Calls that go as most do: queued, answered, ended; one of ten is abandoned, one of twenty held."""
    events = []
    for number in range(calls):
        at_ms, name = MONDAY_MS + number * 2_500, f"C-{number}"
        wait_ms = (number * 7_919) % 45_000
        whole = {"queue": QUEUES[number % 2], "caller": f"caller-{number % 90}", "issue": "login"}
        facts = [("queued", 0, {}), ("answered", wait_ms, {"agent": f"Ada {number % 7}", "idle_ms": number})]
        if number % 10 == 0:
            facts = [("queued", 0, {}), ("abandoned", wait_ms, {})]
        else:
            if number % 20 == 1:
                facts += [("held", wait_ms + 60_000, {}), ("retrieved", wait_ms + 90_000, {})]
            told = {"talk_ms": 170_000, "hold_ms": 0, "wrap_up_ms": 20_000, "resolved": number % 5 > 0, "score": 4.5}
            facts.append(("ended", wait_ms + 180_000, told))
        events += [of(name, at, kind, at_ms + ms, **(whole | more)) for at, (kind, ms, more) in enumerate(facts)]
    return sorted(events, key=lambda one: one.fact[:3])
