from monitor.replay.local import run_replay
from tests.replay.desk import book, event, ms

HELPLINE = """
agreement: helpline
calls:
  - {id: calls, answer_within: 20s, give_up_after: 1h, by: queue, windows: [day]}
"""


def records(*events, until="2024-03-01T10:00"):
    result = run_replay(events, book(HELPLINE), until_ms=ms(until), keep_calls=True)
    return {one.subject_id: one for one in result.calls}


def test_each_call_has_a_record_with_its_outcome_its_wait_and_the_agents_work():
    found = records(
        event("call", "in time", "queued", "08:00:00", queue="main"),
        event("call", "in time", "answered", "08:00:20"),
        event("call", "in time", "held", "08:01:00"),
        event("call", "in time", "retrieved", "08:01:30"),
        event("call", "in time", "ended", "08:03:20", wrap_up_ms=5_000, resolved=True),
        event("call", "late", "queued", "08:00:00", queue="main"),
        event("call", "late", "answered", "08:00:21"),
        event("call", "gone", "queued", "08:00:00", queue="main"),
        event("call", "gone", "abandoned", "08:00:05"),
        event("call", "waits", "queued", "09:59:00", queue="main"),
        event("call", "lost", "queued", "08:00:00", queue="main"),
    )

    in_time = found["in time"]
    assert (in_time.outcome, in_time.wait_ms, in_time.within, in_time.labels) == (
        "answered",
        20_000,
        True,
        {"queue": "main"},
    )
    assert (in_time.talk_ms, in_time.hold_ms, in_time.wrap_up_ms, in_time.turnaround_ms) == (
        150_000,
        30_000,
        5_000,
        200_000,
    )
    assert in_time.resolved is True
    assert {name: (one.outcome, one.outcome_ms is None, one.wait_ms, one.within) for name, one in found.items()} == {
        "in time": ("answered", False, 20_000, True),
        "late": ("answered", False, 21_000, False),
        "gone": ("abandoned", False, 5_000, True),
        "waits": ("waiting", True, 60_000, False),
        "lost": ("lost", True, 7_200_000, False),
    }
    assert found["late"].talk_ms is None
    assert found["late"].as_json()["subject"] == "call"


def test_a_call_that_was_never_queued_or_that_no_agreement_covers_has_none():
    assert not records(event("call", "C", "answered", "08:00:20"))
    only_others = HELPLINE.replace("calls:", "covers: {customer: them}\ncalls:", 1)
    result = run_replay([event("call", "C", "queued", "08:00")], book(only_others), keep_calls=True)
    assert not result.calls
