"""A small book of agreements for replays."""

from __future__ import annotations

import textwrap
from datetime import datetime

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event, Fact, Subject, Value

HEAD = """
version: 1
valid_from: 2024-01-01
name: Test
form: service
provider: us
customer: them
service: all
status: accepted
accepted_by: me
accepted_on: 2024-01-01
zone: UTC
"""
DESK = """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {P1: 1h, P2: 4h}, at_risk: 50%, windows: [24h, day]}
calls:
  - {id: helpline, answer_within: 20s, by: queue, windows: [30m, day]}
outages:
  - {id: network, by: service, windows: [day]}
objectives:
  - {id: resolved, of: resolution, indicator: compliance, target: ">= 60 %", windows: day, minimum_sample: 2}
"""


def book(*texts: str) -> Book:
    documents = [
        parse_documents(textwrap.dedent(text + HEAD).encode(), "desk.yaml", [])[0] for text in texts or (DESK,)
    ]
    return book_of(parse_document(document.data) for document in documents)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def event(subject: Subject, subject_id: str, kind: str, at: str, **attributes: Value) -> Event:
    at = f"2024-03-01T{at}" if len(at) < 10 else at
    return Event(subject, subject_id, Fact(ms(at), 0, f"{subject_id}-{kind}-{at}", kind, attributes))
