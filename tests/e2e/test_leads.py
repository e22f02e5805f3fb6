"""A month's beginning of marketing and sales: what comes out equals what was reckoned by hand."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.e2e.installation import Installation, Worker, at

LEADS = """\
agreement: leads
version: 1
valid_from: 2024-01-01
name: Leads
form: service
provider: Marketing
customer: Sales
service: Leads
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
covers: {source: [web, fair]}
calendars:
  office: {hours: {mon-fri: "09:00-17:00"}}
clocks:
  - {id: follow-up, subject: lead, metric: follow_up, calendar: office, targets: {"*": 2h}, by: [], windows: [month]}
leads:
  - id: goal
    weights: {source: {fair: 2}}
    goal: {sales: {month: 17600}, marketing_share: 50 %, average_deal: 800, close_rate: 50 %, calendar: office}
    windows: [week, month]
  - {id: sales, follow_up: {within: 2h, calendar: office}, attempts: 3, by: [team], windows: [month]}
objectives:
  - {id: on-pace, of: goal, indicator: pace, target: 90 %, windows: [week]}
  - {id: in-time, of: sales, indicator: follow_up, target: 90 %, windows: [month]}
"""
WEB, FAIR = {"source": "web", "team": "field"}, {"source": "fair", "team": "field"}
FACTS = [
    # January 2026 has 22 working days (no holidays were agreed): 22 leads are needed, one a day
    ("2026-01-05 10:00", "L-1", "created", WEB),
    ("2026-01-05 10:00", "L-1", "handed_over", {}),
    ("2026-01-05 10:00", "L-1", "attempted", {"automatic": True}),
    ("2026-01-05 11:00", "L-1", "attempted", {"channel": "phone"}),
    ("2026-01-05 16:00", "L-2", "created", FAIR),
    ("2026-01-05 16:00", "L-2", "handed_over", {}),
    ("2026-01-05 16:00", "L-1", "contacted", {}),
    ("2026-01-06 14:00", "L-2", "attempted", {"channel": "phone"}),
    ("2026-01-06 14:00", "L-1", "won", {"amount": 799.5}),
]


async def live(installation: Installation, worker: Worker, events: list[tuple], until: str) -> None:
    """Let events happen up to an instant: the clock is turned to each of theirs."""
    lot = [event for event in events if at(event[0]) <= at(until)]
    del events[: len(lot)]
    for when, facts in groupby(lot, lambda event: event[0]):
        if at(when) > installation.clock.now_ms():
            await installation.turn(when, worker)
        await installation.send(
            *[installation.event("lead", lead, kind, when, attributes) for _, lead, kind, attributes in facts]
        )
    await installation.turn(at(until) - 60_000, worker)
    await installation.turn(until, worker)


async def test_the_beginning_of_a_month_of_marketing_and_sales(installation: Installation):
    await installation.publish(LEADS)
    events = list(FACTS)
    goal = {"agreement": "leads", "measure": "goal", "kind": "lead"}
    sales = {"agreement": "leads", "measure": "sales", "team": "field", "window": "month"}
    async with installation.worker() as worker:
        # when nobody has called L-2 by Tuesday 10:30, half an hour after its time was over
        await live(installation, worker, events, "2026-01-06 10:30")
        told = [(one["what"], one["state"], one["at"][8:16]) for one in await installation.told()]
        assert ("L-2", "breached", "06T10:00") in told
        metrics = await worker.metrics()
        assert metrics.value("sla_leads_waiting_late", agreement="leads", measure="sales", team="field") == 1
        assert metrics.value("sla_lead_follow_up_ratio", **sales) == 0.5

        # and on Friday morning, with four working days of the week over and nothing new
        await live(installation, worker, events, "2026-01-09 08:00")
        metrics = await worker.metrics()
        week = {**goal, "window": "week"}
        assert metrics.value("sla_leads_delivered", **week) == 3  # the one of the fair weighs two
        assert metrics.value("sla_leads_needed", counting="to_date", **week) == pytest.approx(4)
        assert metrics.value("sla_lead_pace_ratio", **week) == pytest.approx(0.75)
        assert metrics.value("sla_leads_needed", counting="agreed", **goal, window="month") == 22
        assert metrics.value("sla_lead_revenue", **goal, window="month") == 799.5
        assert metrics.value("sla_lead_funnel_leads", stage="won", **goal, window="month") == 1
        assert metrics.value("sla_lead_depth_leads", attempts="1", **sales) == 1  # L-1; L-2 has until the 15th

        # then the pace is told where people look
        told = await installation.told()
        assert [(one["window"], one["state"]) for one in told if one["promise"] == "on-pace"][-1] == (
            "week",
            "breached",
        )
        status = await installation.run("status")
        assert "on-pace" in status.output

        # and each lead is explained: its clock, and where it counts
        explained = await installation.run("explain", "lead", "L-1", "--at", "2026-01-09T08:00:00Z")
        assert "elapsed 1 h (1 h left)" in explained.output
        assert "lead L-1 counts in goal of leads" in explained.output
        assert "won, revenue 799.50" in explained.output
        lines = await installation.json("explain", "lead", "L-1", "--at", "2026-01-09T08:00:00Z")
        assert {"attempts": 1, "depth_1": 1, "depth_kept": 1, "depth_leads": 1} in [one.get("counts") for one in lines]
        assert at("2026-01-05 10:00") in [one.get("counts_at_ms") for one in lines]
