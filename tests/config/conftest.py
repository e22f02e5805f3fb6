"""A small agreement file to spoil: the tests change one part of it and look at what is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

AGREEMENT = """\
agreement: desk
version: 1
valid_from: 2026-01-01
name: Service desk
form: customer
provider: IT
customer: Finance
service: Desk
status: accepted
accepted_by: F. Inance
accepted_on: 2025-12-01
zone: Europe/Berlin
covers: {customer: [finance]}
contacts: [{role: on-call, email: desk@it.example}]
calendars:
  office:
    hours: {mon-fri: ["09:00-12:00", "13:00-17:00"]}
    holidays: {country: DE, subdivision: BE}
clocks:
  - id: response
    metric: first_response
    calendar: office
    targets: {P1: 15m, "*": 4h}
    at_risk: [50%, 10m]
calls:
  - id: hotline
    answer_within: 20s
    service_level: SL3
outages:
  - id: network
    service_hours: office
objectives:
  - id: in-time
    of: response
    indicator: compliance
    target: ">= 95 %"
    at_risk: 97 %
"""


@pytest.fixture
def agreement_text() -> str:
    return AGREEMENT


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Check]:
    """Write the texts as one file each and check their folder."""
    from monitor.config.agreements.checking import check_agreements  # noqa: PLC0415 - the fixture is what needs it

    def check(*texts: str) -> Check:
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
        return check_agreements(tmp_path)

    return check
