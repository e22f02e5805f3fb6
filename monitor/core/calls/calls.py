"""Calls: the counts that one call contributes to its series, derived from its facts alone (domain.md §4).

**One call, one outcome.** A call waits from the first time it is queued until the first of: answered, abandoned,
callback requested, flow-out (transferred before an answer). All its counts are in the pane of the instant at which it
was first queued, so a later outcome or correction changes that same pane.

- *Re-queue*: a call that is queued again after a flow-out waits on. Its wait is the customer's total wait since the
  first queue. An answered call stays answered: being transferred and queued again makes no second offer.
- *Flow-out*: an outcome of its own. It is no abandon and is in no service level. Later facts from elsewhere do not
  count here, unless the call comes back to a queue.
- *Callback*: a requested callback ends the wait. If the customer then hangs up, that is no abandon, and the call back
  is no answer from the queue.
- *Ended without any outcome*: the caller is gone unanswered, which is an abandon at that instant.
- *Answered (or abandoned) before it was queued*: a skewed clock. The wait is 0 and the call is flagged. An answer that
  was followed by a transfer into the queue belongs to the time before the queue, and is no skew.
- *Lost*: a call without any outcome ``give_up_after_ms`` after it was queued. Nobody waits so long, so the event of its
  end must be missing. The call waits no more, is flagged, has its own count and is in no service level. An outcome that
  arrives after all replaces these counts.
- *Never queued*: the call counts nowhere until the ``queued`` fact arrives.

The work of agents on a call (talk, hold, wrap-up) is counted beside its outcome (`monitor.core.calls.handling`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.calls.handling import conversation_counts, conversation_of
from monitor.core.calls.queueing import Outcome, Stay, stay_of
from monitor.core.calls.repeats import repeat_item
from monitor.core.series.series import LIVE, Change, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.measures import CallRule
    from monitor.core.calls.handling import Conversation
    from monitor.core.facts.events import Fact, Value


class Story(NamedTuple):
    """What the facts of a call say, whatever the rule: its stay in the queue, and the conversation after it."""

    stay: Stay | None
    conversation: Conversation | None


def story_of(facts: Sequence[Fact]) -> Story:
    """Return what the facts of a call say. They are ordered."""
    stay = stay_of(facts)
    return Story(stay, None if stay is None else conversation_of(facts, stay))


def call_changes(
    call_id: str,
    facts: Sequence[Fact],
    rule: CallRule,
    series: SeriesKey,
    now_ms: int,
    attributes: Mapping[str, Value] | None = None,
    story: Story | None = None,
) -> tuple[list[Change], int]:
    """Return the counts of a call in its series at an instant, and when they change without an event.

    Args:
        call_id: the id under which it waits in the live pane.
        facts: its ledger, ordered.
        rule: T, the time "within" which an answer is promised (inclusive, unless the rule is strict), s of the short
            abandon (inclusive), and when a call without an outcome is given up.
        series: the series it counts in.
        now_ms: the instant.
        attributes: the newest attributes of the call; caller and issue identify repeat calls.
        story: `story_of` the facts, if it was computed before: several rules share it.

    Returns:
        The changes, and the first instant after ``now_ms`` at which the wait is beyond T or the call lost (0: none).
    """
    stay, conversation = story or story_of(facts)
    if stay is None:
        return [], 0
    queued_ms, outcome, at_ms = stay
    if at_ms is None:
        changes, next_ms = _waiting(call_id, queued_ms, rule, series, now_ms)
        item = _repeat_item(call_id, stay, None, rule, attributes)
        if item is not None:
            changes.append(Change(series, queued_ms, (), call=item))
        return changes, next_ms
    wait_ms = max(0, at_ms - queued_ms)
    counts = _outcome_counts(outcome, wait_ms, rule)
    if conversation is not None:
        counts += conversation_counts(conversation)
    if at_ms < queued_ms and not (conversation is not None and conversation.skewed):
        counts.append(("flagged", 1))
    item = _repeat_item(call_id, stay, conversation, rule, attributes)
    return [Change(series, queued_ms, tuple(counts), wait_ms if outcome == "answered" else -1, item)], 0


def _outcome_counts(outcome: Outcome, wait_ms: int, rule: CallRule) -> list[tuple[str, int]]:
    counts: list[tuple[str, int]] = [(outcome, 1)]
    if outcome == "answered":
        if wait_ms <= rule.longest_ms:
            counts.append(("answered_within", 1))
        counts.append(("wait_ms", wait_ms))
    elif outcome == "abandoned":
        if wait_ms <= rule.longest_ms:
            counts.append(("abandoned_within", 1))
        if wait_ms <= rule.short_abandon_ms:
            counts.append(("abandoned_short", 1))
    return counts


def _repeat_item(
    call_id: str, stay: Stay, of: Conversation | None, rule: CallRule, attributes: Mapping[str, Value] | None
) -> tuple[str, int] | None:
    """Return the item by which repeat calls are found; None if the agreement does not measure repeat calls."""
    if not rule.repeat_within_ms or attributes is None:
        return None
    ended_ms, escalated = (of.ended_ms, of.escalated) if of is not None else (0, False)
    return repeat_item(call_id, attributes, stay.queued_ms, ended_ms, escalated=escalated)


def _waiting(call_id: str, queued_ms: int, rule: CallRule, series: SeriesKey, now_ms: int) -> tuple[list[Change], int]:
    lost_ms = queued_ms + rule.give_up_after_ms
    if now_ms >= lost_ms:
        return [Change(series, queued_ms, (("lost", 1), ("flagged", 1)))], 0
    waiting = Change(series, LIVE, (("waiting", 1),), call=(call_id, queued_ms))
    beyond_ms = queued_ms + rule.longest_ms + 1  # the first instant at which the wait is longer than T
    if now_ms < beyond_ms:
        return [waiting], min(beyond_ms, lost_ms)
    return [waiting, Change(series, queued_ms, (("waiting_beyond", 1),))], lost_ms
