"""The promises of deploy/promises that are about agreements themselves, on recorded events."""

from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.replay.local import run_replay
from monitor.wire.announcements import decode_alert, decode_statement, encode_alert, encode_statement
from tests.replay.desk import event, ms

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"


def ticket(subject_id, kind, at, **attributes):
    return event("ticket", subject_id, kind, f"2026-03-02T{at}", **attributes)


def test_multi_level_the_customer_s_own_target_wins_and_the_others_are_inherited():
    result = run_replay(
        [
            ticket("T-1", "opened", "08:00", customer="acme", priority="P1"),
            ticket("T-2", "opened", "08:00", customer="acme", priority="P2"),
            ticket("T-3", "opened", "08:00", customer="other", priority="P1"),
            ticket("T-4", "opened", "20:00", customer="other", priority="P1"),
        ],
        load_agreements(PROMISES / "multi-level.yaml"),
    )

    told = {(one.key.what, one.key.agreement, one.at_ms) for one in result.alerts if one.key.kind == "ticket"}
    assert told == {
        ("T-1", "acme", ms("2026-03-02T10:00") + 1),
        ("T-2", "acme", ms("2026-03-02T16:00") + 1),
        ("T-3", "everybody", ms("2026-03-02T12:00") + 1),
    }
    kept = [one for one in result.alerts if one.key.promise == "solved-in-time"]
    assert {one.key.agreement for one in kept} == {"acme", "everybody"}  # the objective is inherited too


def test_supporting_agreements_the_breach_tells_which_of_them_was_missed_under_it():
    result = run_replay(
        [
            ticket("T-1", "opened", "08:00", team="databases"),
            ticket("T-2", "opened", "08:00", team="first-line"),
            ticket("T-3", "opened", "20:00", team="first-line"),
        ],
        load_agreements(PROMISES / "supporting-agreements.yaml"),
    )

    breaches = {one.key.what: one for one in result.alerts if (one.key.agreement, one.state) == ("desk", "breached")}
    (missed,) = breaches["T-1"].supporting
    assert (missed.agreement, missed.kind, missed.clock) == ("database-team", "ola", "fixed")
    assert missed.missed_ms == ms("2026-03-02T11:00")
    assert breaches["T-2"].supporting == ()

    # and it is told: in the record, and in the sentence
    _, record = encode_alert(breaches["T-1"], "test")
    assert decode_alert(record) == breaches["T-1"]
    assert b"Missed under it: fixed of database-team (OLA)." in record
    assert b'"supporting":"fixed of database-team (OLA, version 1), due 2026-03-02 11:00' in record


def test_problem_report_the_clock_waits_for_what_a_report_must_contain():
    result = run_replay(
        [
            ticket("T-1", "opened", "08:00", priority="P1"),
            ticket("T-1", "updated", "09:30", service="mail"),
            ticket("T-2", "opened", "08:00", priority="P1"),
            ticket("T-3", "opened", "20:00", priority="P2", service="mail"),
        ],
        load_agreements(PROMISES / "problem-report.yaml"),
    )

    told = [(one.key.what, one.state, one.at_ms) for one in result.alerts if one.key.kind == "ticket"]
    assert told == [("T-1", "breached", ms("2026-03-02T11:30") + 1)]


def test_reporting_rights_the_statements_say_who_may_see_them():
    result = run_replay(
        [
            ticket("T-1", "opened", "08:00"),
            ticket("T-1", "responded", "08:30"),
            ticket("T-1", "resolved", "09:30"),
            event("ticket", "T-2", "opened", "2026-04-02T08:00"),
        ],
        load_agreements(PROMISES / "reporting-rights.yaml"),
    )

    seen = {(one.series.measure, one.window): one.audience for one in result.statements}
    assert seen["solved", "month"] == ("customer", "ACME board")
    assert seen["solved", "day"] == ("customer",)
    assert seen["answered", "month"] == ()
    for one in result.statements:
        assert decode_statement(encode_statement(one, "test")[1]) == one


def test_parties_the_statements_carry_the_details_of_the_service_and_events_are_chosen_by_them():
    result = run_replay(
        [
            ticket("T-1", "opened", "08:00", bandwidth="1 Gbit/s", service_type="network"),
            ticket("T-2", "opened", "08:00", bandwidth="2 Mbit/s", service_type="network"),
            ticket("T-1", "resolved", "13:00"),
            ticket("T-2", "resolved", "13:00"),
            event("ticket", "T-3", "opened", "2026-04-02T08:00", bandwidth="1 Gbit/s"),
        ],
        load_agreements(PROMISES / "parties.yaml"),
    )

    stated = {one.series: one for one in result.statements}
    kept = {(key.measure, key.values): one.figures[0].value for key, one in stated.items()}
    assert kept["fast-lines", ("",)] == 0
    assert kept["others", ("network", "2 Mbit/s")] == 1
    assert ("fast-lines", ("network", "2 Mbit/s")) not in kept
    for one in stated.values():
        assert dict(one.details)["bandwidth"] == "1 Gbit/s"
        assert one.audience == ("customer",)
        assert decode_statement(encode_statement(one, "test")[1]) == one
    assert all(one.details == () for one in result.statuses if not one.closed)


def test_a_contract_and_an_informal_agreement_are_measured_alike(tmp_path):
    text = (PROMISES / "parties.yaml").read_text(encoding="utf-8")
    events = [
        ticket("T-1", "opened", "08:00", bandwidth="1 Gbit/s"),
        ticket("T-1", "resolved", "13:00"),
        event("ticket", "T-3", "opened", "2026-04-02T08:00", bandwidth="1 Gbit/s"),
    ]
    short = (
        text.partition("parties:")[0]
        + "provider: Northern Networks\ncustomer: ACME\nservice:"
        + text.partition("service:")[2]
    )
    found = []
    for number, one in enumerate((text, text.replace("binding: contract", "binding: informal"), short)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(one, encoding="utf-8")
        result = run_replay(events, load_agreements(file))
        found.append((result.alerts, result.statements, result.statuses))

    assert found[0] == found[1] == found[2]
    assert found[0][1]
