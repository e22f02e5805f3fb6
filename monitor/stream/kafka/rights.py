"""The least rights in Kafka of a worker and of the users of commands: for ``topics acls`` and the worker's check.

A new topic, or a new use of one, is entered here: in the tests a worker with just these rights runs on a real broker.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Final, Literal, NamedTuple

from monitor.stream.kafka.topics import TopicNames, changelog_of, changelogged

Role = Literal["worker", "operator", "reader", "producer"]
ROLES: Final[dict[Role, str]] = {
    "worker": "a worker",
    "operator": "all commands: create and check topics, publish agreements, acknowledge, silence, replay dead letters",
    "reader": "the commands that only read: status, tail, statements, explain, recompute, deliveries and the like",
    "producer": "whoever sends events",
}

Kind = Literal["topic", "group", "transactional id"]
_OPTION: Final[dict[Kind, str]] = {"topic": "--topic", "group": "--group", "transactional id": "--transactional-id"}


class Right(NamedTuple):
    """One operation on one resource; if ``prefixed``, on all resources whose names begin with ``name``."""

    kind: Kind
    name: str
    operation: str
    prefixed: bool = False


def rights_of(role: Role, app_id: str, names: TopicNames, fed: Collection[str] = ()) -> list[Right]:
    """Return the least rights of a role. ``fed`` are the topics of events to which foreign topics are mapped.

    Describe comes with Read and with Write, and needs no right of its own there. Nobody needs IdempotentWrite: a user
    who may write to a topic may do so idempotently (since Kafka 2.8).
    """
    match role:
        case "worker":
            return list(_of_worker(app_id, names, fed))
        case "operator":
            return list(_of_operator(app_id, names))
        case "reader":
            return [Right("topic", topic, "Read") for topic in _read_by_commands(app_id, names)]
        case "producer":
            return [Right("topic", topic, "Write") for topic in names.sources]


def _of_worker(app_id: str, names: TopicNames, fed: Collection[str]) -> Iterator[Right]:
    def topic(name: str, *operations: str) -> Iterator[Right]:
        yield from (Right("topic", name, operation) for operation in operations)

    for source in names.sources:
        yield from topic(source, "Read", *(["Write"] if source in fed else []), "DescribeConfigs")
    for source in names.foreign:
        yield from topic(source, "Read")
    for name in (names.agreements, names.responses):
        yield from topic(name, "Read", "DescribeConfigs")
    yield from topic(names.markers, "Read", *(["Write"] if names.foreign else []), "DescribeConfigs")
    for name in (names.partials, names.alerts):
        yield from topic(name, "Read", "Write", "DescribeConfigs")
    for name in (names.status, names.statements, names.reports, names.deliveries, names.dead_letters):
        yield from topic(name, "Write", "DescribeConfigs")
    for source in changelogged(names):
        yield from topic(changelog_of(app_id, source), "Read", "Write", "DescribeConfigs")
    yield Right("group", app_id, "Read")
    for source in changelogged(names):
        yield Right("transactional id", f"{app_id}-{source}-", "Write", prefixed=True)


def _of_operator(app_id: str, names: TopicNames) -> Iterator[Right]:
    written = (*names.sources, names.agreements, names.responses, names.partials)
    # A buried record of partials is sent again only if no newer one of its key has come: so the topic must be read.
    read = [*_read_by_commands(app_id, names), names.partials]
    own = dict.fromkeys(
        [
            *read,
            *names.sources,
            *(changelog_of(app_id, source) for source in changelogged(names)),
        ]
    )
    for name in own:
        described = name in read or name in written
        operations = [
            *(["Read"] if name in read else []),
            *(["Write"] if name in written else []),
            *([] if described else ["Describe"]),
            "Create",
            "DescribeConfigs",
        ]
        yield from (Right("topic", name, operation) for operation in operations)
    for name in names.foreign:
        yield Right("topic", name, "Write")  # dead letters are sent again to the topic that they came from
    for writer in (agreements_writer(app_id), panes_writer(app_id)):
        yield Right("transactional id", writer, "Write")


def _read_by_commands(app_id: str, names: TopicNames) -> list[str]:
    rows = [changelog_of(app_id, source) for source in names.sources]  # explain, the pages of subjects, reports
    own = (names.agreements, names.alerts, names.status, names.statements, names.reports)
    return [*names.sources, *own, names.deliveries, names.responses, names.markers, names.dead_letters, *rows]


def agreements_writer(app_id: str) -> str:
    """Return the transactional id with which commands publish agreements."""
    return f"{app_id}-agreements"


def panes_writer(app_id: str) -> str:
    """Return the transactional id with which commands send buried records of the partials topic again."""
    return f"{app_id}-buried-panes"


def principal(user: str) -> str:
    """Return Kafka's name for a user; a name that has a kind already (``User:CN=…``) stays."""
    return user if user.startswith("User:") else f"User:{user}"


def commands(rights: Iterable[Right], user: str, bootstrap: str) -> list[str]:
    """Return the ``kafka-acls`` command lines that grant rights, one for each resource."""
    lines = []
    for (kind, name, prefixed), group in groupby(rights, key=lambda one: (one.kind, one.name, one.prefixed)):
        operations = [part for one in group for part in ("--operation", one.operation)]
        pattern = ["--resource-pattern-type", "prefixed"] if prefixed else []
        lines.append(
            shlex.join(
                ["kafka-acls", "--bootstrap-server", bootstrap, "--add", "--allow-principal", principal(user),
                 *operations, *pattern, _OPTION[kind], name]
            )
        )  # fmt: skip
    return lines
