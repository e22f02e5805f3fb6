"""Two monitors behind one receiver: each has keys, ids and labels of its own, also over an upgrade."""

from __future__ import annotations

import orjson
import pytest

from tests.core.paging_stage import OnCall, desk
from tests.notify.given import KINDS, ROWS, all_asked, asked, late_ticket, notice, payload


def told(installation):
    """The trigger and the resolve of ticket T-1, as a monitor of this name tells them."""
    on_call = OnCall(desk(), installation=installation).at("Mon 09:00", ("T-1", "breached"))
    notices = [one for _, one in on_call.at("Mon 09:30", ("T-1", "resolved")).until("Mon 10:00").notices]
    assert [one.action for one in notices] == ["trigger", "resolve"]
    return notices


def identity(kind, told):
    """By what the service knows the page again."""
    request = asked(kind, told)
    return ROWS[kind].identity(request, orjson.loads(request.body))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_ticket_of_two_installations_is_two_pages(kind):
    (production, _), (staging, _) = told("prod"), told("staging")

    assert identity(kind, production) != identity(kind, staging)


@pytest.mark.parametrize("installation", ["", "prod"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "opsgenie"])
def test_a_page_ends_as_what_it_began(kind, installation):
    trigger, resolve = told(installation)

    assert identity(kind, trigger) == identity(kind, resolve)


def test_two_notices_of_two_installations_are_no_repeats_of_each_other():
    ids = {dict(asked("generic", one).headers)["webhook-id"] for name in ("prod", "staging") for one in told(name)}

    assert len(ids) == 4


def test_what_an_alertmanager_was_told_before_the_upgrade_keeps_its_labels():
    before, after = payload("alertmanager_api", notice()), payload("alertmanager_api", notice(installation="prod"))

    assert "installation" not in before[0]["labels"]
    assert after[0]["labels"] == {**before[0]["labels"], "installation": "prod"}
    assert payload("alertmanager_api", notice(alerts=(), installation="prod"))[0]["labels"]["installation"] == "prod"


def test_opsgenie_is_told_again_by_creating_the_alert_which_opens_it_if_somebody_closed_it_by_hand():
    (again,) = all_asked("opsgenie", notice("update", late_ticket(), is_repeat=True))

    assert (again.method, again.url) == ("POST", "https://api.opsgenie.com/v2/alerts")
    assert orjson.loads(again.body)["alias"] == notice().key
    assert len(all_asked("opsgenie", notice("update", late_ticket()))) == 2


def test_who_is_told_again_can_see_it():
    assert payload("generic", notice("update", is_repeat=True))["data"]["repeat"] is True
    assert "repeat" not in payload("generic", notice("update"))["data"]
