"""``sla-monitor topics``: create missing topics, check the others."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.installation import consumed, needed_rights, security_options, topic_plan
from monitor.stream.kafka.offsets import set_back
from monitor.stream.kafka.rights import ROLES, Role, commands, principal
from monitor.stream.kafka.topics import TopicSpec, check_topics, create_topics


@click.group(epilog=example("sla-monitor topics check --settings monitor.yaml"))
def topics() -> None:
    """Create and check the topics in Kafka."""


@topics.command(epilog=example("sla-monitor topics create --bootstrap kafka:9092 --replication 3"))
@click.option("--replication", type=click.IntRange(min=1), help="Copies of each partition (default: the setting).")
@settings_option
@json_option
def create(out: Output, settings: Settings, replication: int | None) -> None:
    """Create the topics that are missing, as the settings want them. Existing ones stay as they are."""
    plan = topic_plan(settings)
    security = security_options(settings.security)
    created = set(
        asyncio.run(
            create_topics(settings.bootstrap, plan, replication or settings.topics.replication, security=security)
        )
    )
    for spec in plan:
        out.record(topic=spec.name, partitions=spec.partitions, cleanup=spec.cleanup, created=spec.name in created)
    out.table(
        ("topic", "partitions", "cleanup", ""),
        [(one.name, str(one.partitions), "" if one.foreign else one.cleanup, _what(one, created)) for one in plan],
    )
    _check(settings, out)


@topics.command(epilog=example("sla-monitor topics check --settings monitor.yaml"))
@settings_option
@json_option
def check(out: Output, settings: Settings) -> None:
    """Tell which topics are missing or have the wrong shape, and what to do. Exit code 1 if there are any."""
    if _check(settings, out):
        out.say(f"All {len(topic_plan(settings))} topics at {settings.bootstrap} are as they must be.")
        out.record(ok=True, topics=len(topic_plan(settings)))


@topics.command(
    epilog=example("sla-monitor topics acls --user sla-monitor", "sla-monitor topics acls --user desk --for producer")
)
@click.option("--user", help="Who gets the rights: a user, or User:CN=… of a certificate. Default: the settings' user.")
@click.option(
    "--for",
    "roles",
    type=click.Choice(list(ROLES)),
    multiple=True,
    default=("worker",),
    show_default=True,
    help="What the user does; may be given several times.",
)
@settings_option
@json_option
def acls(out: Output, settings: Settings, user: str | None, roles: tuple[Role, ...]) -> None:
    """Print the least rights in Kafka, as the kafka-acls command lines that grant them.

    They are those that the settings at hand need. Whoever administers Kafka runs the lines. Nothing is asked of Kafka
    here, and nothing is changed.
    """
    user = user or settings.security.username
    if user is None:
        raise click.UsageError("Say whose rights: --user.")
    rights = sorted({right for role in roles for right in needed_rights(settings, role)})
    for right in rights:
        out.record(
            principal=principal(user),
            resource_type=right.kind.replace(" ", "_"),
            resource=right.name,
            pattern="prefixed" if right.prefixed else "literal",
            operation=right.operation,
            permission="allow",
        )
    for role in roles:
        out.say(f"# {role}: {ROLES[role]}")
    for line in commands(rights, user, settings.bootstrap):
        out.say(line)


@topics.command("accept-loss", epilog=example("sla-monitor topics accept-loss tickets --settings monitor.yaml"))
@click.argument("topic")
@click.option("--yes", is_flag=True, help="Do not ask.")
@settings_option
@json_option
def accept_loss(out: Output, settings: Settings, topic: str, *, yes: bool) -> None:
    """Start TOPIC anew after its changelog was lost: all that it still holds is judged, and told, once more.

    Stop all workers first. A worker whose changelog knows of less than was acknowledged stops and names this command.
    It sets the offsets back that the workers' group has committed; what a changelog still knows of stays as it is.
    """
    if topic not in consumed(settings):
        raise click.BadParameter(f"no topic that workers read: {', '.join(consumed(settings))}", param_hint="TOPIC")
    if not yes:
        click.confirm(f"All that topic {topic} still holds is told again, most of it as backfill. Go on?", abort=True)
    security = security_options(settings.security)
    before = asyncio.run(set_back(settings.bootstrap, settings.app_id, topic, security=security))
    for partition, offset in before.items():
        out.record(topic=topic, partition=partition, committed=0, before=offset)
    out.table(
        ("partition", "was committed", "is"),
        [(f"{topic}/{partition}", "–" if offset is None else str(offset), "0") for partition, offset in before.items()],
    )


def _what(spec: TopicSpec, created: Collection[str]) -> str:
    if spec.foreign:
        return "its producer's"
    return "created" if spec.name in created else "exists"


def _check(settings: Settings, out: Output) -> bool:
    plan = topic_plan(settings)
    mistakes = asyncio.run(check_topics(settings.bootstrap, plan, security=security_options(settings.security)))
    for mistake in mistakes:
        out.record(ok=False, mistake=mistake)
        out.say(mistake)
    if mistakes:
        out.note(f"error, for the operator of Kafka: {len(mistakes)} of {len(plan)} topics need attention")
        click.get_current_context().exit(FAILED)
    return True
