"""What a demonstration shows: promises, risks with their countdown, breaches with their reason; lines and JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.measures import ClockRule
from monitor.core.agreements.objectives import Objective
from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.core.time.windows import Window
from monitor.demo.display import STATUS_EVERY_S, mode_for, open_display
from monitor.demo.picture import picture as picture_of
from monitor.demo.screen import render_screen
from monitor.demo.view import Counters, DemoView, at_risk, promises, standing_alerts, summary

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
NOW_MS = START_MS + 30 * MINUTE_MS
DAY = Window("rolling", 24 * 60 * MINUTE_MS)


def agreement(*objectives):
    rule = ClockRule(id="respond", subject="ticket", metric="first_response", budgets={}, by=("priority",))
    return Agreement(
        id="desk", version=1, name="Desk", form="customer", provider="IT", customer="Finance", service="Mail",
        status="accepted", valid_from_ms=0, calendars={}, clocks=(rule,), objectives=objectives,
    )  # fmt: skip


IN_TIME = Objective(
    id="in-time", measure="respond", indicator="compliance", comparison=">=", target=0.999, windows=(DAY,)
)
FAST = Objective(id="fast", measure="respond", indicator="p90", comparison="<=", target=900_000, windows=(DAY,))


def status(priority, word, value, objective=IN_TIME, *, closed=False):
    verdict = ObjectiveVerdict(
        objective.id, objective.indicator, objective.comparison, objective.target, None, value, 40, 1, word
    )
    return WindowStatus(
        series=SeriesKey("desk", "respond", (priority,)),
        labels={"priority": priority},
        window="24h",
        from_ms=NOW_MS - DAY.length_ms,
        to_ms=NOW_MS,
        as_of_ms=NOW_MS,
        version=1,
        figures=(),
        verdicts=(verdict,),
        live={},
        closed=closed,
    )


def alert(ticket, state, minute, *, due=45, reason="due", **changes):
    key = AlertKey("ticket", ticket, "desk", "respond", 1)
    found = Alert(
        id=alert_id(key, state, reason, minute),
        key=key,
        state=state,
        at_ms=START_MS + minute * MINUTE_MS,
        reason=reason,
        version=1,
        labels={"agreement": "desk", "priority": "P1"},
        start_ms=START_MS,
        due_ms=START_MS + due * MINUTE_MS,
        budget_ms=20 * MINUTE_MS,
        elapsed_ms=15 * MINUTE_MS,
        wall_ms=15 * MINUTE_MS,
    )
    return found._replace(**changes)


def view(**changes):
    found = DemoView(
        start_ms=START_MS,
        now_ms=NOW_MS,
        speed=60,
        ran_s=30.0,
        agreements=[agreement(IN_TIME, FAST)],
        statuses=[status("P1", "breached", 0.99895), status("P2", "on_track", 1.0)],
        alerts=[alert("T-1", "at_risk", 10), alert("T-2", "at_risk", 12, due=33), alert("T-1", "breached", 20)],
        counters=Counters(
            events=1_234,
            lag=5,
            dead_letters={"bad_json": 2},
            alerts={"breached": 1, "at_risk": 2},
            pages={"on-call": 2, "noc": 1},
        ),
        health="8 of 8 partitions open",
        addresses={"metrics": "http://127.0.0.1:6066/metrics"},
        first_breach_s=7.25,
    )
    return replace(found, **changes)


def picture(what, height=48, width=140):
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(render_screen(what, height, width))
    return console.file.getvalue()


def line_with(text, *words):
    hits = [line for line in text.splitlines() if all(word in line for word in words)]
    assert len(hits) == 1, text
    return hits[0]


def test_the_worst_series_stands_for_its_promise():
    first, second = promises(view())
    assert first.worst[1].value == 0.99895
    assert first.standing == {"breached": 1, "on_track": 1}
    assert second.worst is None
    assert second.standing == {}


def test_of_two_breaches_the_one_that_is_shorter_of_its_target_is_worse():
    promise = promises(view(statuses=[status("P1", "breached", 0.7), status("P2", "breached", 0.5)]))[0]
    assert promise.worst[0].labels == {"priority": "P2"}
    slow = [status("P1", "breached", 2e6, FAST), status("P2", "breached", 1e6, FAST)]
    assert promises(view(statuses=slow))[1].worst[0].labels == {"priority": "P1"}


def test_a_statement_is_not_how_it_stands_now():
    assert promises(view(statuses=[status("P1", "breached", 0.1, closed=True)]))[0].worst is None


def test_a_miss_does_not_read_as_the_target_it_misses():
    close = view(statuses=[status("P1", "breached", 0.998999)])
    line = line_with(picture(close), "in-time", "breached")
    assert ">= 99.9 %" in line
    assert "99.8999 %" in line


def test_a_promise_without_a_measurement_says_so():
    assert "no_data" in line_with(picture(view()), "fast: p90 of respond")


def test_what_is_at_risk_counts_down_to_its_due_instant():
    line = line_with(picture(view()), "ticket T-2")
    assert "3 min" in line
    assert "15 min of 20 min used" in line


def test_nothing_is_at_risk_any_more_once_it_broke_or_was_taken_back():
    story = [alert("T-1", "at_risk", 10), alert("T-1", "breached", 20), alert("T-1", "resolved", 25)]
    assert standing_alerts(story[:2]).keys() == {story[1].key}
    assert standing_alerts(story) == {}
    assert at_risk(view(alerts=story)) == []
    assert at_risk(view(alerts=[alert("T-1", "at_risk", 10), alert("T-1", "rearmed", 11)])) == []


def test_risks_come_in_the_order_in_which_they_are_due_and_objectives_last():
    objective = alert("x", "at_risk", 1)._replace(
        key=AlertKey("objective", "P1|24h", "desk", "in-time", 1), due_ms=None, value=0.9995, target=0.999,
        indicator="compliance", budget_ms=None,
    )  # fmt: skip
    found = at_risk(view(alerts=[objective, alert("T-1", "at_risk", 1, due=50), alert("T-2", "at_risk", 2, due=40)]))
    assert [one.key.what for one in found] == ["T-2", "T-1", "P1|24h"]
    assert "99.95 %, target 99.9 %" in line_with(picture(view(alerts=[objective])), "P1 24h", "–")


def test_what_broke_is_told_with_its_reason_the_newest_first():
    text = picture(view(alerts=[*view().alerts, alert("T-3", "breached", 28)]))
    newer, older = line_with(text, "breached", "T-3 missed"), line_with(text, "breached", "T-1 missed")
    assert text.index(newer) < text.index(older)
    assert "20 min were allowed" in newer


def test_history_is_not_news():
    past = alert("T-9", "breached", -300, backfill=True)
    assert "T-9" not in picture(view(alerts=[past]))


@pytest.mark.parametrize("healthy", [True, False])
def test_the_foot_tells_health_counters_and_what_to_open(healthy):
    text = picture(view(healthy=healthy))
    assert ("NOT HEALTHY" in text) is not healthy
    foot = line_with(text, "1,234 events")
    assert "lag 5" in foot
    assert "2 dead letters" in foot
    assert "3 pages to noc, on-call" in foot
    assert "http://127.0.0.1:6066/metrics" in text


@pytest.mark.parametrize(("height", "width"), [(24, 80), (30, 100), (48, 140), (60, 200)])
def test_the_picture_fits_the_terminal(height, width):
    many = [replace(IN_TIME, id=f"o{n}") for n in range(30)]
    crowd = view(
        agreements=[agreement(*many)],
        alerts=[
            alert(f"T-{n}-{'x' * 300}", state, n, due=60 + n) for n in range(25) for state in ("at_risk", "breached")
        ]
        + [alert(f"R-{n}", "at_risk", n, due=60 + n) for n in range(25)],
    )
    lines = picture(crowd, height, width).rstrip("\n").splitlines()
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    assert "(Ctrl-C ends it)" in lines[0]
    assert "http://127.0.0.1:6066/metrics" in lines[-1]


def test_where_not_all_promises_fit_the_worst_are_shown():
    many = [replace(IN_TIME, id=f"o{n}") for n in range(30)]
    bad = status("P1", "breached", 0.5, many[29])
    text = picture(view(agreements=[agreement(*many)], statuses=[bad]), 24, 80)
    assert "o29" in text
    assert "of 30)" in text


def test_names_from_events_are_no_markup_and_no_control_of_the_terminal():
    rogue = alert("[red]T[/red]\x1b[2J", "at_risk", 1, due=50)
    for text in (picture(view(alerts=[rogue])), written("plain", view(alerts=[rogue]))):
        assert "[red]T[/red]�[2J" in text
        assert "\x1b" not in text


@pytest.mark.parametrize("mode", ["plain", "json", "live"])
def test_attributes_of_a_demonstration_turn_no_direction_and_end_no_line(mode):
    name = "M\x81ller\x9b31m\x85\u2028\u202egpj\u2066"
    rogue = alert("T-9", "breached", 1)._replace(labels={"customer": name}, details=(("agent", name),), reason=name)
    text = written(mode, view(alerts=[rogue], statuses=[status(name, "breached", 0.5)]))
    assert "ller" in text
    assert not set(text) & set("\x81\x9b\x85\u2028\u202e\u2066")


def test_the_summary_is_for_machines():
    found = json.loads(json.dumps(summary(view())))
    assert found["events"] == 1_234
    assert found["alerts"] == {"at_risk": 2, "breached": 1}
    assert found["first_breach_after_seconds"] == 7.25
    assert found["simulated_seconds"] == 1_800
    assert found["dead_letters"] == {"bad_json": 2}
    assert found["pages"] == {"noc": 1, "on-call": 2}
    assert found["agreements"] == ["desk version 1"]
    in_time, fast = found["objectives"]
    assert in_time["worst"] == {
        "labels": {"priority": "P1"}, "window": "24h", "value": 0.99895, "sample": 40, "verdict": "breached",
    }  # fmt: skip
    assert in_time["verdicts"] == {"breached": 1, "on_track": 1}
    assert fast["worst"] is None


def console(*, terminal=False):
    return Console(file=io.StringIO(), width=120, height=40, force_terminal=terminal, color_system=None, _environ={})


@pytest.mark.parametrize(
    ("terminal", "environ", "as_json", "expected"),
    [
        (True, {}, False, "live"),
        (True, {"NO_COLOR": "1"}, False, "plain"),
        (True, {"TERM": "dumb"}, False, "plain"),
        (False, {}, False, "plain"),
        (True, {}, True, "json"),
    ],
)
def test_the_screen_is_live_only_where_that_is_wanted_and_possible(terminal, environ, as_json, expected):
    assert mode_for(console(terminal=terminal), environ, as_json=as_json) == expected


def written(mode, *views):
    target = console(terminal=mode == "live")
    with open_display(mode, target) as display:
        for one in views:
            display.show(one)
        display.finish(views[-1])
    return target.file.getvalue()


def test_plain_lines_tell_each_alert_once_and_the_status_now_and_then():
    first = view(ran_s=1.0, alerts=view().alerts[:1])
    text = written("plain", first, first, view(ran_s=1.0 + STATUS_EVERY_S))
    assert text.count("T-1 is about to miss respond") == 1
    assert text.count("T-1 missed respond") == 1
    assert text.count("healthy 8 of 8 partitions open") == 1
    assert "promised  desk: compliance of respond >= 99.9 %" in text
    assert "alerts: 2 at_risk, 1 breached; the first breach after 7.2 s" in text
    assert "\x1b" not in text


def test_json_lines_are_one_object_each_and_end_with_the_summary():
    lines = [json.loads(line) for line in written("json", view(ran_s=1.0), view(ran_s=30.0)).splitlines()]
    assert [line["kind"] for line in lines] == ["start", "alert", "alert", "alert", "status", "summary"]
    told = lines[3]
    assert told["key"]["what"] == "T-1"
    assert told["state"] == "breached"
    assert told["explained"]["summary"].startswith("Ticket T-1 missed respond")
    assert lines[-1]["events"] == 1_234


def test_the_live_screen_gives_the_terminal_back_and_leaves_its_last_picture():
    text = written("live", view(), view())
    enter, leave = "\x1b[?1049h", "\x1b[?1049l"
    assert text.count(enter) == text.count(leave) == 1
    after = text[text.index(leave) :]
    assert "What was promised" in after
    assert "alerts: 2 at_risk, 1 breached" in after


def test_an_error_gives_the_terminal_back_too():
    target = console(terminal=True)

    def fails():
        with open_display("live", target) as display:
            display.show(view())
            raise RuntimeError("the broker is gone")

    with pytest.raises(RuntimeError):
        fails()
    assert target.file.getvalue().count("\x1b[?1049l") == 1


def test_a_picture_for_documents_is_svg_that_fetches_nothing():
    root = ET.fromstring(picture_of(view()))
    text = "".join(root.itertext())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "What\xa0was\xa0promised" in text
    assert "url(" not in text.replace("url(#", "")
    assert "@font-face" not in text
