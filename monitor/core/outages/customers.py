"""Interruptions of customers: the indicators of IEEE 1366 (domain.md §5).

    SAIDI = sum of r N / N_T       mean time without service per customer served
    SAIFI = sum of N / N_T         mean number of interruptions per customer served
    CAIDI = SAIDI / SAIFI          mean length of an interruption
    ASAI  = 1 - SAIDI / T          the share of customer time with service
    MAIFI = sum of N / N_T         over momentary interruptions, which are in none of the others

N is the number of customers that an outage interrupted: those at its start, and those added later. ``r N`` is their
number integrated over time, so that a stepwise restoration counts each customer as long as it was out. An interruption
counts in the window in which it began, with all its customers and all its time, also that beyond the window (IEEE 1366:
it accrues to the day in which it began). So a period can be judged once all that began in it is over: until then its
figures are as of now, and it is stated by its cohort (`monitor.core.agreements.cohorts`). An agreement may split it
instead: customer time then counts in the window in which it lies, a customer where it was interrupted. ASAI is never
negative, though an interruption may be longer than the window. Announced maintenance is no excuse here. An open outage
is sustained once it is as old as the longest momentary one.

An outage of which no event names a number of customers interrupted an unknown number of them, not nobody. It is in no
sum; the figures that it belongs to say how many such outages they lack, and no promise is kept by such a figure
(`monitor.core.objectives.verdicts`). An outage of 0 customers is one that says so.

Major event days (IEEE 1366-2012, 3.5 and annex B): days whose SAIDI exceeds ``T_MED = exp(alpha + 2.5 beta)``, where
alpha and beta are mean and standard deviation of the logarithms of the daily SAIDI in up to five years before the
window; days without interruptions are left out. An outage belongs, with all its time, to the day on which it began; a
day counts as one in a later window only with those of its outages that were not over a day before that.
"""

from __future__ import annotations

from math import exp, fsum, log, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.measures import ANY, HISTORY_MS
from monitor.core.outages.failures import failing
from monitor.core.pieces import LOT, choosing, lots
from monitor.core.series.figures import Figure, quotient
from monitor.core.time.periods import day_start
from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monitor.core.agreements.measures import CustomerTerms
    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord
FEWEST_DAYS: Final = 30
"""The fewest days with interruptions that give a threshold: a few logarithms have no meaningful spread."""
_BETAS: Final = 2.5


class Counting(NamedTuple):
    """How the customers of one series are counted.

    ``served`` is N_T (0: the number in the newest outage holds; None: not known). ``history`` returns the customer time
    of each day before an instant, as of another instant (`past_days`), for the threshold of major event days.
    """

    terms: CustomerTerms
    served: int | None
    zone: str
    history: Callable[[CustomerTerms, int, int], Pieces[Sequence[int]]]


class Sums(NamedTuple):
    """The customer time of interruptions, and the number of customers that they interrupted."""

    customer_ms: int
    customers: int


class Tally(NamedTuple):
    """The counts of a window: of sustained interruptions, the customers of momentary ones, how many are not over.

    ``days`` holds the sums of all sustained interruptions by the start of the day on which they began, ``within`` what
    the window counts of them. ``unknown`` and ``unknown_momentary`` are the numbers of sustained and of momentary
    interruptions that the window would count, but of which no event names the customers.
    """

    every: Sums
    momentary: int
    not_over: int
    days: Mapping[int, Sums]
    within: Mapping[int, Sums]
    unknown: int = 0
    unknown_momentary: int = 0


def served_of(terms: CustomerTerms, values: Sequence[str]) -> int | None:
    """Return N_T of a series by its values; 0: the events hold it; None: not known."""
    served = terms.served
    if not served:
        return 0
    return served.get(values[0] if values else ANY, served.get(ANY))


def served_by_all(
    terms: CustomerTerms, parts: Iterable[tuple[Sequence[str], Mapping[str, OutageRecord]]]
) -> int | None:
    """Return N_T of several series together: that of each area (the first of their values) once; None: not known.

    Areas that the agreement names are served also without an outage.
    """
    of_areas = {area: number for area, number in terms.served.items() if area != ANY}
    newest: dict[str, tuple[int, int]] = {}
    for values, outages in parts:
        area = values[0] if values else ANY
        if terms.served:
            of_areas[area] = served_of(terms, values) or 0
        else:
            newest[area] = max(newest.get(area, (0, 0)), _newest_total(outages.values()))
    return sum(of_areas.values()) + sum(number for _, number in newest.values()) or None


def _newest_total(outages: Iterable[OutageRecord]) -> tuple[int, int]:
    """Return the number of customers that the newest outage with one names, after its start; (0, 0): none does."""
    return max(((one.start_ms, one.customers_total) for one in outages if one.customers_total), default=(0, 0))


def customer_figures(
    counting: Counting, outages: Mapping[str, OutageRecord], from_ms: int, to_ms: int, now_ms: int
) -> Pieces[list[Figure]]:
    """Return the figures of the customers in the part of ``[from_ms, to_ms)`` that has passed, in pieces.

    Args:
        counting: how customers are counted.
        outages: the outages that touch the window, by id; earlier ones do no harm.
        from_ms: the start of the window.
        to_ms: the end of the window.
        now_ms: the instant of the evaluation.
    """
    terms, zone = counting.terms, counting.zone
    first_ms = day_start(zone, from_ms)
    touching = yield from choosing(
        outages.items(),
        lambda item: (
            item[1].start_ms <= now_ms and (not item[1].restored_ms or item[1].restored_ms >= first_ms - DAY_MS)
        ),
    )
    happened = yield from failing(dict(touching))
    sustained: list[OutageRecord] = []
    brief: list[OutageRecord] = []
    for some in lots(happened.values()):
        for one in some:
            if length_ms(one, now_ms) >= terms.momentary_ms:
                sustained.append(one)
            elif over_ms(one, now_ms):
                brief.append(one)
        yield
    total = counting.served
    if total == 0:
        total = _newest_total(happened.values())[1]
    summing = _summing(terms, from_ms, to_ms, now_ms)
    every = yield from _sums(sustained, summing)
    momentary = (yield from _sums(brief, summing)).customers
    begun = [one for one in happened.values() if from_ms <= one.start_ms < to_ms and not over_ms(one, now_ms)]
    days: dict[int, Sums] = {}
    within: dict[int, Sums] = {}
    if terms.major_days:
        days = yield from _days(sustained, zone, lambda one: sum_of(one, one.start_ms, now_ms))
        within = yield from _days(sustained, zone, summing)
    counts = _counting_in(terms, from_ms, to_ms, now_ms)
    unknown = sum(1 for one in sustained if not one.customers and counts(one))
    unknown_momentary = sum(1 for one in brief if not one.customers and counts(one))
    tally = Tally(every, momentary, len(begun), days, within, unknown, unknown_momentary)
    return (yield from tallied(counting, total or 0, tally, from_ms, to_ms, now_ms))


def tallied(
    counting: Counting, total: int, tally: Tally, from_ms: int, to_ms: int, now_ms: int
) -> Pieces[list[Figure]]:
    """Return the figures of the customers from the counts of a window, in pieces. ``total`` is N_T, 0: not known."""
    terms, every = counting.terms, tally.every
    end_ms = min(to_ms, now_ms)
    elapsed_ms = max(0, end_ms - from_ms)
    served_ms = total * elapsed_ms
    lacking, brief_lacking = tally.unknown, tally.unknown_momentary
    so_far = f"; {tally.not_over} not over" if tally.not_over and terms.accrues == "start" else ""
    said, brief_said = f"{_without(lacking)}{so_far}", _without(brief_lacking)
    figures = [
        *_averages("", every, total, said, lacking),
        quotient(
            "asai", max(0, served_ms - every.customer_ms), served_ms, "ratio",
            f"(N_T T - sum of r N) / (N_T T){_without(lacking)}", lacking,
        ),
        quotient(
            "maifi", tally.momentary, total, "count", f"sum of N of momentary interruptions / N_T{brief_said}",
            brief_lacking,
        ),
    ]  # fmt: skip
    threshold_ms = yield from _threshold_ms(counting, total, from_ms, now_ms)
    if threshold_ms is None:
        text = "no threshold: fewer than 30 days with interruptions before" if terms.major_days else "not agreed"
        absent = [("saidi_net", "ms"), ("saifi_net", "count"), ("caidi_net", "ms"), ("major_event_days", "count")]
        return figures + [Figure(name, None, 0, 0, unit, text) for name, unit in absent]
    major = {day for day, sums in tally.days.items() if sums.customer_ms > threshold_ms * total}
    of_major = [sums for day, sums in tally.within.items() if day in major]
    net = Sums(
        every.customer_ms - sum(one.customer_ms for one in of_major),
        every.customers - sum(one.customers for one in of_major),
    )
    in_window = sum(day_start(counting.zone, from_ms) <= day < end_ms for day in major)
    text = f"days whose SAIDI exceeds {threshold_ms / 1000:g} s"
    return [
        *figures,
        *_averages("_net", net, total, f", without major event days{said}", lacking),
        Figure(
            "major_event_days", float(in_window), in_window, elapsed_ms, "count", f"{text}{_without(lacking)}", lacking
        ),
    ]


def _averages(suffix: str, sums: Sums, total: int, text: str, lacking: int) -> list[Figure]:
    return [
        quotient(f"saidi{suffix}", sums.customer_ms, total, "ms", f"sum of r N / N_T{text}", lacking),
        quotient(f"saifi{suffix}", sums.customers, total, "count", f"sum of N / N_T{text}", lacking),
        quotient(f"caidi{suffix}", sums.customer_ms, sums.customers, "ms", f"sum of r N / sum of N{text}", lacking),
    ]


def _without(lacking: int) -> str:
    """Return what a formula says about outages that it leaves out."""
    return f", without {lacking} {'outage' if lacking == 1 else 'outages'} of unknown customers" if lacking else ""


def over_ms(record: OutageRecord, now_ms: int) -> int:
    """Return when an outage was over; 0 if it is open now."""
    return record.restored_ms if record.restored_ms <= now_ms else 0


def length_ms(record: OutageRecord, now_ms: int) -> int:
    """Return how long an outage was, or is so far."""
    return (over_ms(record, now_ms) or now_ms) - record.start_ms


def _counting_in(terms: CustomerTerms, from_ms: int, to_ms: int, now_ms: int) -> Callable[[OutageRecord], bool]:
    """Return the function that decides whether an outage counts in ``[from_ms, to_ms)``, as of an instant."""
    if terms.accrues == "start":
        return lambda one: from_ms <= one.start_ms < to_ms
    return lambda one: one.start_ms < to_ms and (over_ms(one, now_ms) or now_ms) > from_ms


def _summing(terms: CustomerTerms, from_ms: int, to_ms: int, now_ms: int) -> Callable[[OutageRecord], Sums]:
    """Return the function that says what an outage counts in ``[from_ms, to_ms)``, as of an instant."""

    def of_start(one: OutageRecord) -> Sums:
        return sum_of(one, one.start_ms, now_ms) if from_ms <= one.start_ms < to_ms else Sums(0, 0)

    def of_time(one: OutageRecord) -> Sums:
        return sum_of(one, from_ms, min(to_ms, now_ms))

    return of_start if terms.accrues == "start" else of_time


def _sums(outages: Iterable[OutageRecord], summing: Callable[[OutageRecord], Sums]) -> Pieces[Sums]:
    """Return the customer time of outages, and how many customers they interrupted."""
    customer_ms = customers = 0
    for some in lots(outages):
        for one in some:
            own = summing(one)
            customer_ms += own.customer_ms
            customers += own.customers
        yield
    return Sums(customer_ms, customers)


def sum_of(one: OutageRecord, from_ms: int, end_ms: int) -> Sums:
    """Return the customer time of an outage within ``[from_ms, end_ms)``, and the customers interrupted in it."""
    customer_ms = customers = before = 0
    for index, (at_ms, number) in enumerate(one.customers):
        next_ms = one.customers[index + 1][0] if index + 1 < len(one.customers) else one.restored_ms or end_ms
        customer_ms += number * max(0, min(next_ms, end_ms) - max(at_ms, from_ms))
        if from_ms <= at_ms < end_ms:
            customers += max(0, number - before)
        before = number
    return Sums(customer_ms, customers)


def _days(
    outages: Iterable[OutageRecord], zone: str, summing: Callable[[OutageRecord], Sums]
) -> Pieces[dict[int, Sums]]:
    """Return, by the start of each day, what all outages that began on it count."""
    days: dict[int, Sums] = {}
    for some in lots(outages, LOT // 2):
        for one in some:
            add_to(days, day_start(zone, one.start_ms), summing(one))
        yield
    return days


def add_to(days: dict[int, Sums], day_ms: int, own: Sums) -> None:
    """Add what an outage counts to its day."""
    before = days.get(day_ms)
    days[day_ms] = own if before is None else Sums(before[0] + own[0], before[1] + own[1])


def _threshold_ms(counting: Counting, total: int, from_ms: int, now_ms: int) -> Pieces[float | None]:
    """Return the daily SAIDI beyond which a day is a major event day; None if there is no threshold."""
    terms = counting.terms
    if not terms.major_days or not total:
        return None
    if terms.major_days == "fixed":
        return float(terms.major_saidi_ms)
    daily = yield from counting.history(terms, day_start(counting.zone, from_ms), now_ms)
    return beta_threshold([customer_ms / total for customer_ms in daily if customer_ms])


def past_days(
    terms: CustomerTerms,
    days: Iterable[tuple[int, Mapping[str, OutageRecord]]],
    before_ms: int,
    now_ms: int,
    known: dict[int, tuple[Mapping[str, OutageRecord], CustomerTerms, int]],
) -> Pieces[list[int]]:
    """Return the customer time of each day in the five years before a day, as of an instant, in pieces.

    Args:
        terms: how customers are counted.
        days: the start of each day, and the outages that began on it, by id. An outage that is the consequence of
            another one of the same day is left out.
        before_ms: the start of the day before which days count.
        now_ms: the instant of the evaluation.
        known: a cache of the results for days whose outages are all over; it is kept until a day's outages change.
    """
    found: list[int] = []
    for day_ms, outages in days:
        if not before_ms - HISTORY_MS <= day_ms < before_ms:
            continue
        cached = known.get(day_ms)
        if cached is not None and cached[0] is outages and cached[1] is terms:
            found.append(cached[2])
            continue
        own = yield from choosing(outages.items(), lambda item: item[1].kind == "outage")
        began = (yield from failing(dict(own))).values()
        customer_ms = 0
        for some in lots(began):
            sustained = (one for one in some if length_ms(one, now_ms) >= terms.momentary_ms)
            customer_ms += sum(sum_of(one, one.start_ms, now_ms).customer_ms for one in sustained)
            yield
        found.append(customer_ms)
        if all(0 < one.restored_ms <= now_ms for one in began):
            known[day_ms] = outages, terms, customer_ms
    return found


def beta_threshold(daily: Sequence[float]) -> float | None:
    """Return the threshold T_MED from the daily SAIDIs that are not 0; None for fewer than `FEWEST_DAYS`."""
    if len(daily) < FEWEST_DAYS:
        return None
    logarithms = [log(one) for one in daily]
    alpha = fsum(logarithms) / len(logarithms)
    beta = sqrt(fsum((one - alpha) ** 2 for one in logarithms) / (len(logarithms) - 1))
    return exp(alpha + _BETAS * beta)
