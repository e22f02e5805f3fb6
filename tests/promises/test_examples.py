"""The page of promises: every example loads without a mistake or a warning, says what it promises, and is linked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.config.agreements.checking import check_agreements, load_agreements

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMISES = sorted((DEPLOY / "promises").glob("*.yaml"))
AGREEMENTS = sorted((DEPLOY / "agreements").glob("*.yaml"))
PAGE = (DEPLOY / "promises" / "README.md").read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", [*PROMISES, DEPLOY / "agreements"], ids=name_of)
def test_each_file_loads_without_a_mistake_or_a_warning(path: Path):
    found = check_agreements(path)

    assert found.mistakes == ()
    assert found.warnings == ()
    assert found.documents


@pytest.mark.parametrize("path", [*PROMISES, *AGREEMENTS], ids=name_of)
def test_each_file_begins_with_what_it_promises(path: Path):
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert re.match(r"# \w.{20,}", first)


@pytest.mark.parametrize("path", PROMISES, ids=name_of)
def test_each_promise_is_short_and_stands_on_the_page(path: Path):
    assert f"]({path.name})" in PAGE
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 45


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_each_link_of_the_page_leads_somewhere(link: str):
    assert (DEPLOY / "promises" / link).exists()


def test_all_promises_can_hold_at_the_same_time():
    assert load_agreements([DEPLOY / "promises", DEPLOY / "agreements"]).agreements
