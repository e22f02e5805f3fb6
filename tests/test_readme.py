"""What the README says is what the program does."""

import base64
import re
from pathlib import Path

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.config.receivers.registry import KINDS
from monitor.config.settings.settings import load_settings
from monitor.core.paging.not_told import MEANINGS
from monitor.wire.events import contract_table, decode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[1]


def test_the_table_of_the_event_contract_is_the_one_that_the_program_prints():
    shown = README.partition("<!-- contract: sla-monitor schema table -->\n")[2].partition("\n<!-- /contract -->")[0]

    assert shown.strip() == contract_table().strip()


def test_the_agreement_that_it_shows_is_one(tmp_path):
    (tmp_path / "desk.yaml").write_text(block("yaml"), encoding="utf-8")

    (agreement,) = load_agreements(tmp_path).agreements

    assert [one.id for one in agreement.clocks] == ["first-response"]
    assert [one.id for one in agreement.objectives] == ["responded-in-time"]


def test_the_receivers_that_it_shows_are_settings(tmp_path):
    _, shown, *_ = re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (tmp_path / "settings.yaml").write_text(shown, encoding="utf-8")
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    environment = {"PAGER_KEY": "k" * 32, "SLACK_URL": "https://hooks.slack.example/x", "WEBHOOK_SECRET": secret}

    settings = load_settings(tmp_path / "settings.yaml", environment)

    assert [one.kind for one in settings.receivers.values()] == ["pagerduty", "slack", "generic", "alertmanager_api"]


def test_its_sentence_on_kinds_of_receivers_names_every_kind_and_no_other():
    (sentence,) = re.findall(r"^Kinds: (.*?)\.(?= |$)", README, re.DOTALL | re.MULTILINE)

    named = re.findall(r"`(\w+)`", sentence)
    assert sorted(named) == sorted(KINDS)


def test_the_deployments_readme_explains_every_reason_for_which_nobody_is_told():
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    table = page.partition("| reason | why nobody is told |\n")[2].partition("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(MEANINGS)


def test_the_event_that_it_shows_is_one():
    event = decode("ticket", b"T-17", block("json").strip().encode())

    assert (event.subject_id, event.fact.type) == ("T-17", "opened")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_leads_somewhere(path):
    assert (ROOT / path).exists()
