"""Events, rows and announcements as Hypothesis draws them."""

from decimal import Decimal
from typing import get_args

from hypothesis import strategies as st

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.alerts.stretches import Stretch, Stretches
from monitor.core.clocks.clock_value import Clock, Extra, Former
from monitor.core.facts.events import ATTRIBUTES, SUBJECTS, TYPES, Event, Fact
from monitor.core.objectives.budget import BudgetFigure, Burn
from monitor.core.objectives.consequence import NO_MONEY, Consequence, ConsequenceKind, Evidence
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import Change, OutageRecord, Pane, PaneKey, SeriesKey
from monitor.core.subjects.rows import SubjectRow
from monitor.wire.contract import EARLIEST_MS, INSTANTS, LATEST_MS, MAX_ID, MAX_INTEGER, MAX_TEXT, NOT_NEGATIVE

_CHARACTERS = st.characters(
    codec="utf-8",
    exclude_categories=["Cs", "Cc", "Zl", "Zp"],
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)


_VALUE_CHARACTERS = st.characters(codec="utf-8", exclude_characters=[*map(chr, range(0x20)), "\x7f"])
"""Of attributes: names that were decoded wrongly are kept."""


def texts(most=20):
    return st.text(_CHARACTERS, max_size=most)


CONSEQUENCE_KINDS = get_args(ConsequenceKind)
ids = st.text(_CHARACTERS, min_size=1, max_size=12) | st.text(_CHARACTERS, min_size=MAX_ID, max_size=MAX_ID)
instants = st.integers(EARLIEST_MS, LATEST_MS - 1)
milliseconds = st.integers(0, 10**13)
floats = st.floats(allow_nan=False, allow_infinity=False)


def attribute(name):
    kind = ATTRIBUTES[name]
    if name in INSTANTS.values():
        return instants
    if kind is str:
        return st.text(_VALUE_CHARACTERS, max_size=20) | st.just("x" * MAX_TEXT)
    if kind is bool:
        return st.booleans()
    least = 0 if name in NOT_NEGATIVE else None
    if kind is int:
        return st.integers(-MAX_INTEGER if least is None else least, MAX_INTEGER)
    return st.floats(min_value=least, allow_nan=False, allow_infinity=False).map(lambda one: one + 0.0)


attributes = st.lists(st.sampled_from(sorted(ATTRIBUTES)), unique=True, max_size=8).flatmap(
    lambda names: st.fixed_dictionaries({name: attribute(name) for name in names})
)


@st.composite
def facts(draw, subject="ticket"):
    kind = draw(st.sampled_from(sorted(TYPES[subject])))
    return Fact(draw(instants), draw(st.integers(0, MAX_INTEGER)), draw(ids), kind, draw(attributes))


@st.composite
def events(draw):
    subject = draw(st.sampled_from(SUBJECTS))
    return Event(subject, draw(ids), draw(facts(subject)))


series_keys = st.builds(SeriesKey, texts(), texts(), st.lists(texts(), max_size=3).map(tuple))
pane_keys = st.builds(
    PaneKey,
    series_keys,
    st.sampled_from(["live", "minute", "quarter", "hour", "day"]),
    milliseconds,
    st.text("0123456789abcdef", max_size=30),
)
outages = st.builds(
    OutageRecord,
    st.sampled_from(["outage", "maintenance", "blind"]),
    *[milliseconds] * 5,
    st.lists(st.tuples(milliseconds, floats), max_size=3).map(tuple),
    milliseconds,
    st.lists(st.tuples(milliseconds, milliseconds), max_size=3).map(tuple),
    milliseconds,
    texts(),
    texts(),
)
names = texts(8)
panes = st.builds(
    Pane,
    st.dictionaries(names, st.integers(-(2**40), 2**40), max_size=4),
    st.dictionaries(st.integers(-5, 2000), st.integers(0, 10**6), max_size=4),
    st.dictionaries(names, milliseconds, max_size=2),
    st.dictionaries(names, outages, max_size=2),
    st.dictionaries(st.integers(-1, 10**13), st.integers(1, 10**6), max_size=4),
)
changes = st.builds(
    Change,
    series_keys,
    st.integers(-1, 10**13),
    st.lists(st.tuples(names, st.integers(-10, 10)), max_size=3).map(tuple),
    st.integers(-1, 10**9),
    st.none() | st.tuples(names, milliseconds),
    st.none() | st.tuples(names, outages),
    st.sampled_from([1, -1]),
)
clocks = st.builds(
    Clock,
    series_keys,
    st.integers(1, 99),
    st.integers(1, 99),
    milliseconds,
    milliseconds,
    names,
    st.integers(0, 9),
    st.booleans(),
    st.sampled_from(["running", "paused", "stopped", "cancelled"]),
    milliseconds,
    milliseconds,
    milliseconds,
    milliseconds,
    milliseconds,
    st.integers(0, 9),
    milliseconds,
    st.lists(milliseconds, max_size=4),
    st.lists(names, max_size=2),
    st.none()
    | st.builds(
        Extra,
        st.integers(-(10**13), 10**13),
        milliseconds,
        st.lists(st.builds(Former, milliseconds, milliseconds, names, milliseconds), max_size=2),
        st.lists(milliseconds, max_size=2),
        st.lists(names, max_size=2),
        st.booleans(),
        st.booleans(),
        milliseconds | st.just(-1),
        st.booleans(),
        st.integers(0, 9),
    ),
)
subject_rows = st.builds(
    SubjectRow,
    milliseconds,
    st.integers(0, 2**62),
    st.lists(facts(), max_size=3),
    attributes,
    st.lists(clocks, max_size=2),
    st.lists(changes, max_size=2),
    milliseconds,
    st.lists(clocks, max_size=2).map(tuple),
)

known = st.none() | st.integers(0, 10**13)
maybe = st.none() | floats
STATES = ["at_risk", "breached", "resolved", "voided", "rearmed"]
REASONS = [
    "elapsed_75",
    "due",
    "stopped",
    "stopped_in_time",
    "cancelled",
    "due_moved",
    "below_target",
    "no_data",
    "{odd}",
]


stretches = st.builds(
    Stretches,
    st.lists(
        st.builds(
            Stretch,
            milliseconds,
            milliseconds,
            st.sampled_from(["counted", "closed", "holiday", "paused", "solved"]),
            texts(),
        ),
        max_size=4,
    ).map(tuple),
    st.integers(0, 2000),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
)


@st.composite
def alerts(draw):
    key = AlertKey(
        draw(st.sampled_from(["ticket", "outage", "lead", "objective"])),
        draw(ids),
        draw(ids),
        draw(ids),
        draw(st.integers(1, 9)),
    )
    state = draw(st.sampled_from(STATES))
    return Alert(
        alert_id(key, state, "", 0),
        key,
        state,
        draw(milliseconds),
        draw(st.sampled_from(REASONS)),
        draw(st.integers(1, 99)),
        draw(st.dictionaries(names, texts(), max_size=4)),
        *(draw(known) for _ in range(5)),
        draw(st.sampled_from(["", "compliance", "mean", "availability", "failures", "unheard of"])),
        draw(texts(6)),
        *(draw(maybe) for _ in range(4)),
        draw(st.booleans()),
        tuple(draw(st.dictionaries(names, texts(), max_size=3)).items()),
        draw(st.none() | stretches),
    )


figures = st.builds(
    Figure, texts(), maybe, floats, floats, st.sampled_from(["ratio", "ms", "count"]), texts(), st.integers(0, 10**6)
)
verdicts = st.builds(
    ObjectiveVerdict,
    texts(),
    texts(),
    st.sampled_from([">=", "<="]),
    floats,
    maybe,
    maybe,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["met", "on_track", "at_risk", "breached", "no_data", "low_sample"]),
)
budgets = st.builds(
    BudgetFigure,
    texts(),
    st.sampled_from(["events", "timeslices"]),
    st.sampled_from(["count", "ms"]),
    *[floats] * 3,
    maybe,
    st.booleans(),
    st.lists(st.builds(Burn, texts(), maybe, floats, floats), max_size=2).map(tuple),
    floats,
)
money = st.integers(0, 10**12).map(lambda cents: Decimal(cents).scaleb(-2))


_counted = st.just(("", NO_MONEY, NO_MONEY)) | st.tuples(
    st.sampled_from(["fixed", "per_hour", "per_case"]), money, money
)
"""How damages are counted, or that there are none."""


@st.composite
def consequences(draw, series, window):
    amount = draw(money)
    evidence = Evidence(draw(texts()), *[draw(floats) for _ in range(4)], draw(texts()), (draw(milliseconds),))
    return Consequence(
        series.agreement, draw(st.integers(1, 99)), draw(texts()), series, window, draw(milliseconds),
        draw(milliseconds), draw(st.sampled_from(CONSEQUENCE_KINDS)), evidence,
        amount, amount, draw(st.sampled_from(["", "EUR"])), draw(money), draw(money), draw(floats), draw(milliseconds),
        draw(st.sampled_from(["", "month", "term", "rule"])), *draw(_counted), draw(texts()),
    )  # fmt: skip


bare_statuses = st.builds(
    WindowStatus,
    series_keys,
    st.dictionaries(names, texts(), max_size=3),
    st.sampled_from(["30m", "24h", "30d", "day", "month"]),
    milliseconds,
    milliseconds,
    milliseconds,
    st.integers(1, 99),
    st.lists(figures, max_size=3).map(tuple),
    st.lists(verdicts, max_size=3).map(tuple),
    st.dictionaries(names, st.integers(0, 10**6), max_size=3),
    st.booleans(),
    st.lists(budgets, max_size=2).map(tuple),
    st.just(()),
    st.lists(texts(), max_size=2).map(tuple),
    st.integers(1, 9),
    st.dictionaries(names, texts(), max_size=3).map(lambda details: tuple(details.items())),
    st.dictionaries(names, floats, max_size=3).map(lambda before: tuple(before.items())),
)


@st.composite
def _statuses(draw):
    status = draw(bare_statuses)
    drawn = draw(st.lists(consequences(status.series, status.window), max_size=2))
    return status._replace(consequences=tuple(drawn))


statuses = _statuses()
