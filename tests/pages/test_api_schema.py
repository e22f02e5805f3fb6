"""The API is as its description says, whatever is asked: schemathesis asks it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from monitor.core.facts.events import SUBJECTS
from monitor.core.time.units import HOUR_MS
from monitor.pages.access import Access
from monitor.pages.api import PREFIX
from monitor.pages.app import make_app
from monitor.pages.site import Site
from monitor.stream.partitions.clock import HandClock
from tests.pages.conftest import Still

asked = settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
ADDRESSES = (
    "status", "alerts", "statements", "agreements", "agreements/{agreement_id}", "reports", "due", "arrivals",
    "reports/{agreement_id}/{period}", "subjects/{kind}/{subject_id}",
)  # fmt: skip
"""All but the stream of changes: its answer never ends."""
NEVER_WRONG = {
    ("agreements/{agreement_id}", GenerationMode.NEGATIVE), ("arrivals", GenerationMode.NEGATIVE)
}  # fmt: skip
"""Any text may be the name of an agreement, and arrivals take nothing: nothing that is asked there is against the
description."""


@pytest.fixture(scope="module")
def described(world, watched, report_of, read_row, clocks):
    site = Site(Still(world), HandClock(watched.now_ms), report_of=report_of)
    site.arrivals.look(watched.now_ms - HOUR_MS, dict.fromkeys(SUBJECTS, 5), {"ticket": watched.now_ms})
    site.arrivals.look(watched.now_ms, dict.fromkeys(SUBJECTS, 65), {})

    async def read_due():
        return clocks

    app = make_app(site, read_row, Access({}, ["testserver"]), read_due=read_due)
    return schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)


def test_each_address_is_asked(described):
    assert {one.ok().path for one in described.get_all_operations()} == {
        f"{PREFIX}/{one}" for one in (*ADDRESSES, "changes")
    }


@pytest.mark.parametrize(
    ("address", "mode"),
    [(address, mode) for address in ADDRESSES for mode in GenerationMode if (address, mode) not in NEVER_WRONG],
)
def test_each_answer_is_as_the_description_says(described, address, mode):
    @asked
    @given(case=described[f"{PREFIX}/{address}"]["GET"].as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate()

    ask()


@pytest.mark.parametrize("address", [one for one in ADDRESSES if "{" in one])
def test_each_answer_about_what_is_there_is_as_the_description_says(described, world, address):
    subject = next(one.key.what for one in world.alerts() if one.key.kind == "ticket")
    there = {"agreement_id": "it-service-desk", "period": "2026-08", "kind": "ticket", "subject_id": subject}

    @settings(asked, max_examples=5)
    @given(case=described[f"{PREFIX}/{address}"]["GET"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case):
        case.path_parameters = {name: there[name] for name in case.path_parameters}
        case.query = {name: value for name, value in case.query.items() if name != "customer"}
        assert case.call_and_validate().status_code == 200

    ask()
