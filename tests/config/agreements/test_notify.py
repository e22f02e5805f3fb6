"""Who is told: what the ``notify`` part of an agreement becomes, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.core.agreements.agreement import Notify, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

MINUTE = 60_000
NOTIFY = """\
notify:
  receivers: [on-call, floor-lead]
  at_risk: desk-chat
  group_wait: 5s
  group_interval: 2m
  escalation:
    - {after: 15m, receivers: second-line}
    - {after: 45m, receivers: [head], hours: office}
"""


def test_it_becomes_what_it_describes(checked: Checked, agreement_text: str) -> None:
    check = checked(agreement_text + NOTIFY)

    assert check.mistakes == ()
    told = check.documents[0].agreement.notify
    assert told == Notify(
        receivers=("on-call", "floor-lead"),
        at_risk=("desk-chat",),
        group_wait_ms=5_000,
        group_interval_ms=2 * MINUTE,
        escalation=(Step(15 * MINUTE, ("second-line",)), Step(45 * MINUTE, ("head",), "office")),
    )
    assert told.everybody() == {"on-call", "floor-lead", "desk-chat", "second-line", "head"}


def test_left_out_it_names_nobody(checked: Checked, agreement_text: str) -> None:
    assert checked(agreement_text).documents[0].agreement.notify == Notify()


def test_a_calendar_that_only_a_contact_has_is_used(checked: Checked, agreement_text: str) -> None:
    text = agreement_text.replace("clocks:", "  nights: {hours: {mon-sun: '20:00-24:00'}}\nclocks:", 1)
    assert any("nights" in str(one) for one in checked(text).warnings)
    assert not any("nights" in str(one) for one in checked(text + NOTIFY.replace("office", "nights")).warnings)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("hours: office", "hours: ofice", "notify.escalation[1].hours: there is no calendar 'ofice' (did you mean"),
        (
            "after: 45m",
            "after: 15m",
            "notify.escalation[1].after: is not later than the step before it, 15m (all steps",
        ),
        ("  receivers: [on-call, floor-lead]\n", "", "notify.escalation: nobody is told before the first step"),
        ("receivers: second-line", "receivers: []", "notify.escalation[0].receivers: must have at least 1"),
        ("desk-chat", "desk chat", "notify.at_risk"),
        ("[on-call, floor-lead]", "[on-call, on-call]", "notify.receivers: entry 2 repeats an earlier one"),
        ("group_wait: 5s", "group_wait: soon", "notify.group_wait: is no duration: 'soon'"),
        ("group_wait", "groupwait", "notify.groupwait: unknown key (did you mean 'group_wait'?)"),
    ],
)
def test_mistakes_are_told_with_their_place(
    checked: Checked, agreement_text: str, right: str, wrong: str, told: str
) -> None:
    check = checked(agreement_text + NOTIFY.replace(right, wrong, 1))

    assert any(told in str(one) for one in check.mistakes), check.mistakes
