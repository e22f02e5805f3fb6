"""What the settings mean for whoever reaches the installation: its brokers and its topics."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from monitor.config.secrets import revealed
from monitor.config.settings import SecuritySettings, Settings
from monitor.config.sources import SourceSettings
from monitor.core.events import SUBJECTS, Subject
from monitor.stream.topics import TopicNames, TopicSpec, plan_topics

TOPIC_OF: Final[dict[Subject, str]] = {"ticket": "tickets", "call": "calls", "outage": "outages", "lead": "leads"}
"""The setting under ``topics`` that names each subject's topic."""


def security_options(security: SecuritySettings) -> dict[str, Any]:
    """Return aiokafka's keywords for reaching the brokers; whatever holds them prints no password."""
    options: dict[str, Any] = {}
    if security.protocol == "PLAINTEXT":
        return options
    options["security_protocol"] = security.protocol
    if security.protocol in ("SSL", "SASL_SSL"):
        context = ssl.create_default_context(cafile=security.ca_file)
        if security.certificate_file:
            context.load_cert_chain(security.certificate_file, security.key_file, revealed(security.key_password))
        options["ssl_context"] = context
    if security.mechanism:
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = revealed(security.password)
    return options


def topic_plan(settings: Settings, changelog_config: Mapping[str, str] | None = None) -> list[TopicSpec]:
    """Return all topics of an installation as its settings want them."""
    topics = settings.topics
    names = TopicNames(
        sources=tuple(topic_of(settings, subject) for subject in SUBJECTS),
        agreements=topics.agreements,
        partials=topics.partials,
        alerts=topics.alerts,
        status=topics.status,
        statements=topics.statements,
        dead_letters=topics.dead_letters,
        foreign={source.topic: partitions_of(settings, source) for source in settings.sources},
        deliveries=topics.deliveries,
        responses=topics.responses,
        markers=topics.markers,
    )
    return plan_topics(
        settings.app_id,
        names,
        partitions=topics.partitions,
        source_retention_ms=topics.event_retention_ms,
        long_retention_ms=topics.alert_retention_ms,
        changelog_config=changelog_config,
    )


def consumed_topics(settings: Settings) -> set[str]:
    """Return the topics whose records the workers work on, one by one."""
    topics = settings.topics
    events = {topic_of(settings, subject) for subject in SUBJECTS}
    return events | {source.topic for source in settings.sources} | {topics.partials, topics.alerts}


def topic_of(settings: Settings, subject: Subject) -> str:
    """Return the name of a subject's topic."""
    return str(getattr(settings.topics, TOPIC_OF[subject]))


def consumed(settings: Settings) -> list[str]:
    """Return the topics that workers read, each with a changelog of its own."""
    topics = settings.topics
    sources = [topic_of(settings, subject) for subject in SUBJECTS]
    return [*sources, topics.partials, topics.alerts, *(source.topic for source in settings.sources)]


def partitions_of(settings: Settings, source: SourceSettings) -> int:
    """Return how many partitions a foreign topic has."""
    return source.partitions or settings.topics.partitions
