"""The topics: their plan, creating them, and checking that they have the right shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from monitor.core.time.units import DAY_MS
from monitor.errors import BrokerError
from monitor.stream.kafka.description import Topics, describe
from monitor.stream.kafka.refusals import explained, lacking

Cleanup = Literal["delete", "compact"]

LARGEST_RECORD: Final = "max.message.bytes"
LARGE_RECORD_BYTES: Final = 10 << 20
"""Dead letters hold the original bytes, also of records that are far too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it must be. ``retention_ms`` -1 keeps records for ever; None leaves it to the broker.

    ``foreign``: another system owns the topic and creates it; only the number of its partitions is checked. ``follows``
    names the foreign topic whose changelog this topic is: the changelog is not created before that topic exists.
    ``keyed``: workers rely on the partition to which a key goes; with another number of partitions, keys would go to
    partitions that do not hold their rows.
    """

    name: str
    partitions: int
    cleanup: Cleanup = "delete"
    retention_ms: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False
    follows: str = ""
    keyed: bool = False

    @property
    def all_config(self) -> dict[str, str]:
        """Return the topic's configuration in Kafka's names."""
        config = {"cleanup.policy": self.cleanup, **self.config}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        return config


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNames:
    """The names of the topics."""

    sources: Sequence[str] = ("tickets", "calls", "outages", "leads")
    agreements: str = "agreements"
    partials: str = "partials"
    alerts: str = "alerts"
    status: str = "status"
    statements: str = "statements"
    reports: str = "reports"
    dead_letters: str = "dead-letters"
    deliveries: str = "deliveries"
    responses: str = "responses"
    markers: str = "markers"
    foreign: Mapping[str, int] = field(default_factory=dict)
    """Foreign topics, which are read through a mapping, and the number of partitions of each."""


def changelog_of(app_id: str, topic: str) -> str:
    """Return the topic that holds the rows and the positions of a source."""
    return f"{app_id}-{topic}-state"


def changelogged(names: TopicNames) -> list[str]:
    """Return the topics that a worker consumes with a changelog beside each."""
    return [*names.sources, names.partials, names.alerts, *names.foreign]


def plan_topics(
    app_id: str,
    names: TopicNames | None = None,
    *,
    partitions: int = 8,
    source_retention_ms: int = 7 * DAY_MS,
    long_retention_ms: int = 400 * DAY_MS,
    changelog_config: Mapping[str, str] | None = None,
) -> list[TopicSpec]:
    """Return all topics of an installation.

    All partitioned topics of ours have the same number of partitions; a changelog always has that of its source.
    Partials are compacted by pane and source, and partitioned by agreement. Tombstones of changelogs live for a day:
    longer than any restore takes.
    """
    names = names or TopicNames()
    compact = {"min.cleanable.dirty.ratio": "0.1", **(changelog_config or {})}
    large = {LARGEST_RECORD: str(LARGE_RECORD_BYTES)}

    def spec(name: str, cleanup: Cleanup, retention_ms: int | None = None, **config: Any) -> TopicSpec:  # noqa: ANN401
        return TopicSpec(name=name, partitions=partitions, cleanup=cleanup, retention_ms=retention_ms, **config)

    return [
        *(spec(source, "delete", source_retention_ms, keyed=True) for source in names.sources),
        TopicSpec(name=names.agreements, partitions=1, cleanup="compact"),
        TopicSpec(name=names.responses, partitions=1, cleanup="compact"),
        TopicSpec(name=names.markers, partitions=1, cleanup="compact"),
        spec(names.partials, "compact", config=compact | large, keyed=True),  # a pane holds all calls that wait
        spec(names.alerts, "delete", long_retention_ms, keyed=True),
        spec(names.status, "compact"),
        spec(names.statements, "compact"),
        spec(names.reports, "compact"),
        spec(names.deliveries, "delete", long_retention_ms),
        spec(names.dead_letters, "delete", long_retention_ms, config=large),
        *(
            spec(changelog_of(app_id, source), "compact", config=compact | large, keyed=True)
            for source in (*names.sources, names.partials, names.alerts)
        ),
        *(TopicSpec(name=name, partitions=count, foreign=True) for name, count in names.foreign.items()),
        *(
            TopicSpec(
                name=changelog_of(app_id, name), partitions=count, cleanup="compact", config=compact, follows=name
            )
            for name, count in names.foreign.items()
        ),
    ]


async def create_topics(
    bootstrap: str,
    specs: Iterable[TopicSpec],
    replication_factor: int = 1,
    *,
    security: Mapping[str, Any] | None = None,
) -> list[str]:
    """Create the topics that are missing; return their names. Existing topics are not changed: check them.

    Foreign topics are never created, nor is the changelog of one that is missing or has another number of partitions.

    Raises:
        BrokerError: the broker refused to create a topic, or cannot be reached.
    """
    wanted = {spec.name: spec for spec in specs}
    async with _admin(bootstrap, security) as admin:
        topics = await describe(admin._client, wanted)  # noqa: SLF001 - see there
        _refuse_hidden(topics, "Describe")
        present = topics.known
        missing = [
            spec
            for name, spec in wanted.items()
            if name not in present
            and not spec.foreign
            and (not spec.follows or topics.partitions_of(spec.follows) == spec.partitions)
        ]
        if not missing:
            return []
        response = await admin.create_topics(
            [
                NewTopic(spec.name, spec.partitions, replication_factor, topic_configs=spec.all_config)
                for spec in missing
            ]
        )
        refused, unauthorized = [], []
        for name, code, *detail in response.topic_errors:
            error = for_code(code)
            if error is TopicAuthorizationFailedError:
                unauthorized.append(("Create", "topic", name))
            elif code and error is not TopicAlreadyExistsError:  # another process has created it meanwhile
                refused.append(f"{name}: {(detail and detail[0]) or error.__name__}")
        if unauthorized:
            refused.append(lacking(unauthorized))
        if refused:
            raise BrokerError("Kafka refused to create topics; allow it or create them by hand: " + "; ".join(refused))
        await _until_known(admin, missing)
        return [spec.name for spec in missing]


async def check_topics(
    bootstrap: str,
    specs: Iterable[TopicSpec],
    *,
    security: Mapping[str, Any] | None = None,
    operations: Iterable[tuple[str, str]] = (),
) -> list[str]:
    """Return the mistakes in the topics, one sentence each; an empty list if there are none.

    ``operations`` are the operations that the user of the settings must be allowed, each with its topic.

    Raises:
        BrokerError: the broker cannot be reached.
    """
    wanted = list(specs)
    async with _admin(bootstrap, security) as admin:
        topics = await describe(admin._client, [spec.name for spec in wanted])  # noqa: SLF001 - see there
        counts = {name: len(one.leaders) for name, one in topics.known.items()}
        present = [spec for spec in wanted if spec.name in counts]
        configs = await _configs(admin, [spec.name for spec in present if not spec.foreign])
    unauthorized = [one for one in operations if not topics.is_allowed(*one)]
    shut = [("DescribeConfigs", spec.name) for spec in present if not spec.foreign and spec.name not in configs]
    hidden = [("Describe", name) for name in sorted(topics.hidden - {name for _, name in unauthorized})]
    mistakes = []
    if unauthorized or shut or hidden:
        every = dict.fromkeys([*unauthorized, *shut, *hidden])
        mistakes.append(lacking([(operation, "topic", name) for operation, name in every]))
    mistakes += wrong_counts([spec for spec in wanted if spec.name not in topics.hidden], counts).values()
    for spec in present:
        if spec.foreign:
            continue
        if spec.name not in configs:
            continue
        cleanup = configs[spec.name].get("cleanup.policy", "")
        if set(cleanup.split(",")) != {spec.cleanup}:
            mistakes.append(
                f"topic {spec.name} has cleanup.policy={cleanup}, not {spec.cleanup}: "
                f"kafka-configs --alter --topic {spec.name} --add-config cleanup.policy={spec.cleanup}"
            )
        largest, needed = configs[spec.name].get(LARGEST_RECORD, ""), spec.config.get(LARGEST_RECORD, "")
        if largest.isdecimal() and needed and int(largest) < int(needed):
            # One record that does not fit would hold up its source partition for ever.
            mistakes.append(
                f"topic {spec.name} has {LARGEST_RECORD}={largest}, less than {needed}: "
                f"kafka-configs --alter --topic {spec.name} --add-config {LARGEST_RECORD}={needed}"
            )
    return mistakes


async def count_partitions(
    bootstrap: str, names: Iterable[str], *, security: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """Return the number of partitions of each topic. Topics that do not exist are left out, and not created.

    Raises:
        BrokerError: the broker cannot be reached, or does not say whether some of them exist.
    """
    async with _admin(bootstrap, security) as admin:
        topics = await describe(admin._client, names)  # noqa: SLF001 - see there
        _refuse_hidden(topics, "Describe")
        return {name: len(one.leaders) for name, one in topics.known.items()}


def wrong_counts(wanted: Iterable[TopicSpec], counts: Mapping[str, int]) -> dict[str, str]:
    """Return, by topic, a sentence about each wrong number of partitions, with the way to correct it."""
    found = {}
    for spec in wanted:
        count = counts.get(spec.name)
        if count is None:
            found[spec.name] = _missing(spec)
        elif count != spec.partitions and spec.foreign:
            found[spec.name] = (
                f"topic {spec.name} has {count} partitions, not {spec.partitions}: write "
                f"partitions: {count} for it in sources of the settings; if it got more of them after "
                f"it was read, its changelog must be created anew"
            )
        elif count != spec.partitions:
            found[spec.name] = (
                f"topic {spec.name} has {count} partitions, not {spec.partitions}: set the number of "
                f"partitions to {count}, or create the topic and its changelog anew"
            )
    return found


def _missing(spec: TopicSpec) -> str:
    if spec.foreign:
        return f"topic {spec.name} is missing: its producer creates it; or take it out of sources in the settings"
    return (
        f"topic {spec.name} is missing: create it with {spec.partitions} partitions and cleanup.policy={spec.cleanup}"
    )


def _refuse_hidden(topics: Topics, operation: str) -> None:
    """Raise an error if Kafka hides whether some topics exist: they would be taken for missing ones."""
    if topics.hidden:
        raise BrokerError(lacking([(operation, "topic", name) for name in sorted(topics.hidden)]))


@asynccontextmanager
async def _admin(bootstrap: str, security: Mapping[str, Any] | None) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **(security or {}))
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        otherwise = "does not answer as it should"
        raise await explained(error, bootstrap, security, operation="Describe", otherwise=otherwise) from error
    finally:
        await admin.close()


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the configuration of topics, without those whose configuration the user may not see."""
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    found = {}
    for resource in (one for answer in answers for one in answer.resources):
        error, name = for_code(resource[0]), resource[3]
        if error is NoError:
            found[name] = {entry[0]: entry[1] for entry in resource[4]}
        elif error is not TopicAuthorizationFailedError:
            raise BrokerError(f"Kafka does not tell the configuration of topic {name}: {resource[1] or error.__name__}")
    return found


async def _until_known(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    """Wait until the new topics have leaders: a worker that starts at once would miss them."""
    for _ in range(100):
        topics = await describe(admin._client, [spec.name for spec in specs])  # noqa: SLF001 - see there
        _refuse_hidden(topics, "Describe")
        if all(
            spec.name in topics.known
            and len(leaders := topics.known[spec.name].leaders) == spec.partitions
            and all(leader >= 0 for leader in leaders.values())
            for spec in specs
        ):
            return
        await asyncio.sleep(0.1)
    raise BrokerError("Kafka created the topics, but they still have no leaders after 10 s")
