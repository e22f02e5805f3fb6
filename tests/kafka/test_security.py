"""Security on a real broker: each way to come in, each right that is missing, what is told of each refusal."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest
from aiokafka.errors import TransactionalIdAuthorizationFailed
from aiokafka.structs import ConsumerRecord
from click.testing import Result

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from monitor.core.facts.events import SUBJECTS, Event, Fact
from monitor.errors import BrokerError, SlaMonitorError
from monitor.installation import TOPIC_OF, security_options
from monitor.read_model.buried_panes import Found, send_buried
from monitor.read_model.topics import Outgoing, committed, read_all, send_all
from monitor.stream.kafka.connection import Connection
from monitor.stream.kafka.refusals import stopped
from monitor.stream.kafka.rights import Right, Role, panes_writer, rights_of
from monitor.stream.kafka.topics import TopicNames, changelog_of
from monitor.stream.partitions import worker as worker_module
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.events import encode_event
from tests.cli.conftest import AGREEMENT
from tests.cli.processes import process
from tests.kafka.broker import UnavailableError, free_port
from tests.kafka.secured import Installation, Secured, secured_broker, wait_for_goodbyes

WAYS: Final = ["scram", "plain", "tokens", "tls"]
NAMES: Final = TopicNames(foreign={"hooks": 1})
"""What the topics are called in the ids of the tests: an installation puts its mark before each."""


@pytest.fixture(autouse=True)
def goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_goodbyes(monkeypatch)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    entered = contextlib.ExitStack()
    try:
        broker = entered.enter_context(secured_broker(tmp_path_factory.mktemp("secured")))
    except UnavailableError as reason:
        pytest.skip(str(reason))
    with entered:
        yield broker


@pytest.fixture(scope="module")
def installations(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installation]:
    """An installation for each way to come in, made by commands with the rights that ``topics acls`` prints."""
    desk = tmp_path_factory.mktemp("desk")
    (desk / "desk.yaml").write_text(AGREEMENT)
    made: dict[str, Installation] = {}

    def of(way: str) -> Installation:
        if way not in made:
            one = made[way] = Installation(secured, way)
            one.create_foreign_topic()
            for role in ("worker", "operator", "reader", "producer"):
                secured.grant(one.user, one.rights(role))
            assert (done := one.run("topics", "create")).exit_code == 0, done.output
            assert (done := one.run("agreements", "apply", desk, "--yes")).exit_code == 0, done.output
        return made[way]

    return of


@pytest.fixture
def scram(installations: Callable[[str], Installation]) -> Installation:
    return installations("scram")


async def late_ticket(settings: Settings, ticket: str) -> None:
    """Send a ticket whose promise is broken already."""
    fact = Fact(wall_ms() - 4 * 3_600_000 - 1_000, 0, f"{ticket}-1", "opened", {"priority": "P1"})
    key, value = encode_event(Event("ticket", ticket, fact))
    await send_all(settings, [Outgoing(settings.topics.tickets, key, value)])


async def told(settings: Settings, ticket: str, worker: asyncio.Task[None]) -> None:
    """Wait until an alert tells of a ticket."""
    lots = committed(settings, [settings.topics.alerts], follow=True)
    async with asyncio.timeout(60), contextlib.aclosing(lots):
        async for records in lots:
            if worker.done():
                await worker
            if any(ticket.encode() in (one.value or b"") for one in records):
                return


def line(result: Result) -> str:
    """Return the one line that a command said of its error: no traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.stderr.splitlines()[-1]


# -- who may come in


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_serves_commands_and_a_worker_with_the_printed_rights(
    way: str, installations: Callable[[str], Installation]
) -> None:
    one = installations(way)
    settings = one.settings()

    async def run() -> None:
        async with one.worker() as worker:
            await late_ticket(settings, f"T-{way}")
            await told(settings, f"T-{way}", worker)

    asyncio.run(checked(settings))
    asyncio.run(run())

    for command in (["status"], ["topics", "check"], ["dead-letters", "list"], ["recompute"]):
        done = one.run(*command)
        assert done.exit_code in (0, 3), done.output
    assert f"Ticket T-{way} missed resolution" in one.run("tail", "alerts", "--no-follow").stdout


async def checked(settings: Settings) -> None:
    await Monitor(settings).check()


# -- who is refused, and why


class Refusal(NamedTuple):
    """Settings that do not work, and what is told of them."""

    way: str
    told: str
    listener: str = ""
    security: Mapping[str, str] = MappingProxyType({})
    who: str = "who keeps the security settings"


NO_CERTIFICATE: Final = {"certificate_file": "", "key_file": "", "key_password": ""}
REFUSALS: Final = {
    "wrong password (SCRAM)": Refusal("scram", "refuses the user scram: wrong password", security={"password": "no"}),
    "wrong password (PLAIN)": Refusal("plain", "refuses the user plain: wrong password", security={"password": "no"}),
    "wrong user": Refusal("scram", "refuses the user nobody: wrong password or user", security={"username": "nobody"}),
    "other mechanism": Refusal("scram", "does not offer SCRAM-SHA-256", security={"mechanism": "SCRAM-SHA-256"}),
    "wrong client secret": Refusal(
        "tokens", r"token endpoint https://\S+ answers 401 \(invalid_client", security={"client_secret": "no"}
    ),
    "untrusted token endpoint": Refusal(
        "tokens", r"token endpoint https://\S+ cannot be reached: .*CERTIFICATE_VERIFY_FAILED",
        security={"token_ca_file": "{stranger}"},
    ),
    "wrong CA": Refusal(
        "scram", "signed by no authority that the monitor trusts.*security.ca_file", security={"ca_file": "{stranger}"}
    ),
    "wrong host name": Refusal("tls", r"is not for that name: .*not valid for '127\.0\.0\.1'", "FOREIGN"),
    "wrong advertised name": Refusal("tls", "advertises a broker at localhost:.*for 'localhost'", "ADVERTISED"),
    "expired broker": Refusal(
        "tls", "is not valid now: certificate has expired. Renew it", "OLD", who="the operator of Kafka"
    ),
    "no certificate": Refusal(
        "tls", "asks for a certificate of the monitor .*security.certificate_file", security=NO_CERTIFICATE
    ),
    "unknown certificate": Refusal(
        "tls", "refuses the monitor's certificate .*an authority that Kafka trusts",
        security={"certificate_file": "{unknown}.pem", "key_file": "{unknown}.key", "key_password": ""},
    ),
    "no TLS where TLS is": Refusal(
        "scram", "closes the connection: does its listener speak SASL_PLAINTEXT",
        security={"protocol": "SASL_PLAINTEXT", "ca_file": ""},
    ),
    "TLS where none is": Refusal("scram", "closes the connection: .* SASL_SSL|speaks no TLS", "PLAIN"),
    "no SASL where SASL is": Refusal("tls", r"closes the connection: does its listener speak SSL", "SASL"),
    "nobody there": Refusal("scram", "cannot be reached: Connection refused", "NOBODY", who="the operator of Kafka"),
}  # fmt: skip


def refused(secured: Secured, case: Refusal) -> tuple[Installation, dict[str, str]]:
    """Return an installation and the settings of a case."""
    unknown = str(secured.unknown.certificate).removesuffix(".pem")
    files = {"stranger": str(secured.stranger.file), "unknown": unknown}
    security = {name: value.format(**files) for name, value in case.security.items()}
    one = Installation(secured, case.way)
    addresses = {**secured.broker.addresses, "PLAIN": secured.broker.bootstrap, "NOBODY": f"127.0.0.1:{free_port()}"}
    if case.listener:
        security["bootstrap"] = addresses[case.listener]
    return one, security


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_is_wrong_and_who_must_act(case: Refusal, secured: Secured) -> None:
    one, security = refused(secured, case)

    said = line(one.run("topics", "check", **security))

    assert said.startswith(f"error, for {case.who}: ")
    assert re.search(case.told, said), said


@pytest.mark.parametrize("name", ["wrong password (SCRAM)", "wrong advertised name"])
@pytest.mark.parametrize(
    "command",
    [
        ["topics", "create"], ["tail", "alerts", "--no-follow"], ["tail", "alerts"],
        ["silence", "add", "--agreement", "x", "--for", "1h", "--reason", "y"], ["traffic", "--yes", "--for", "1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_whoever_connects_tells_the_refusal(name: str, command: list[str], secured: Secured) -> None:
    one, security = refused(secured, REFUSALS[name])

    started = time.monotonic()
    said = line(one.run(*command, **security))

    assert re.search(REFUSALS[name].told, said), said
    assert time.monotonic() - started < 25


@pytest.mark.parametrize(
    ("name", "option"),
    [("wrong password (SCRAM)", []), ("wrong advertised name", ["--no-check"])],
    ids=["", "no check"],
)
def test_a_worker_that_is_refused_says_so_and_ends(
    name: str, option: list[str], secured: Secured, tmp_path: Path
) -> None:
    one, security = refused(secured, REFUSALS[name])
    with process("worker", *option, environment=one.environment(**security), folder=tmp_path) as worker:
        _, said = worker.communicate(timeout=60)

    assert worker.returncode == 1
    assert re.search("^error, for who keeps the security settings: .*" + REFUSALS[name].told, said, re.MULTILINE), said
    assert "Traceback" not in said


# -- what is allowed


def needs(role: Role) -> list[Right]:
    return rights_of(role, "app", NAMES, ["tickets"])


def of(installation: Installation, right: Right) -> Right:
    """Return a right on the resource of the same name of an installation."""
    mark = installation.mark
    name = right.name.replace("app", mark, 1) if right.kind != "topic" else right.name
    if right.kind == "topic" and right.name.startswith("app-"):
        name = f"{mark}-{mark}-{right.name.removeprefix('app-')}"
    elif right.kind == "topic":
        name = f"{mark}-{right.name}"
    elif right.prefixed:
        name = f"{mark}-{mark}-{right.name.removeprefix('app-')}"
    return right._replace(name=name)


def named(right: Right) -> str:
    """Return what an error says of a missing right."""
    return f"{right.operation} on {right.kind} {right.name}"


def test_the_rights_of_the_tests_are_those_that_are_printed(scram: Installation) -> None:
    for role in ("worker", "operator", "reader", "producer"):
        assert {of(scram, one) for one in needs(role)} == set(scram.rights(role))


@pytest.mark.parametrize("right", [one for one in needs("worker") if one.kind == "topic"], ids=named)
def test_a_worker_that_lacks_a_right_on_a_topic_names_it_before_it_starts(right: Right, scram: Installation) -> None:
    right = of(scram, right)
    with scram.secured.without(scram.user, right), pytest.raises(BrokerError) as lacking:
        asyncio.run(checked(scram.settings()))

    assert str(lacking.value) == (
        f"Kafka does not allow the user of the settings: {named(right)} "
        "(sla-monitor topics acls --user USER prints what grants it)"
    )


AT_WORK: Final = [
    Right("group", "app", "Read"),
    Right("transactional id", "app-tickets-", "Write", prefixed=True),
    *(Right("topic", name, "Read") for name in ("tickets", "agreements", "responses", "app-tickets-state", "hooks")),
    *(Right("topic", name, "Write") for name in ("alerts", "partials", "app-tickets-state")),
]
"""What a worker finds out when it needs it: no broker tells these beforehand, or its user took a check away."""


async def with_state(one: Installation) -> None:
    """Have a worker keep rows of a ticket."""
    settings = one.settings()
    async with one.worker(settings) as worker:
        await late_ticket(settings, "T-kept")
        await told(settings, "T-kept", worker)


@pytest.mark.parametrize("right", AT_WORK, ids=named)
def test_a_worker_that_meets_a_missing_right_stops_and_names_it(
    right: Right, scram: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = of(scram, right)
    if right.operation == "Read" and right.name.endswith("-state"):
        asyncio.run(with_state(scram))  # one without rows is not read
    monkeypatch.setattr(worker_module, "START_TIMEOUT_S", 3.0)  # without its group a worker never gets up

    async def run() -> None:
        settings = scram.settings()
        async with scram.worker(settings) as worker:
            if right.kind == "topic":
                await late_ticket(settings, f"T-{right.operation}-{right.name}")
            await asyncio.wait([worker], timeout=60)
            assert worker.done()
            await worker

    with scram.secured.without(scram.user, right), pytest.raises(SlaMonitorError) as lacking:
        asyncio.run(run())

    resource = re.escape(right.name) + (r"0" if right.prefixed else "")
    assert re.search(f"{right.operation} on {right.kind} {resource} ", str(lacking.value)), lacking.value


@pytest.mark.parametrize("right", [one for one in needs("worker") if one.prefixed], ids=named)
def test_a_partition_whose_writer_is_not_allowed_names_its_transactional_id(right: Right, scram: Installation) -> None:
    right = of(scram, right)

    async def open_writer() -> None:
        settings = scram.settings()
        security = security_options(settings.security)
        writer = Connection(bootstrap=settings.bootstrap, security=security).writer(f"{right.name}0")
        try:
            await writer.start()
        finally:
            await writer.stop()

    with scram.secured.without(scram.user, right), pytest.raises(TransactionalIdAuthorizationFailed) as refusal:
        asyncio.run(open_writer())

    assert f"Write on transactional id {right.name}0 " in str(stopped("it", refusal.value, "Write"))
    asyncio.run(open_writer())


COMMANDS: Final = {
    "agreements": ["agreements", "list"],
    "alerts": ["tail", "alerts", "--no-follow"],
    "status": ["tail", "status", "--no-follow"],
    "statements": ["statements"],
    "deliveries": ["deliveries"],
    "reports": ["report", "--follow", "--out", "."],
    "responses": ["silence", "list"],
    "dead-letters": ["dead-letters", "list"],
    "markers": ["silence", "list"],
    **{topic: ["recompute"] for topic in NAMES.sources},
    **{changelog_of("app", TOPIC_OF[subject]): ["explain", subject, "X-1"] for subject in SUBJECTS},
}
"""A command that reads each topic."""


@pytest.mark.parametrize("right", needs("reader"), ids=named)
def test_a_command_that_lacks_the_right_to_read_names_it(right: Right, scram: Installation) -> None:
    missing = of(scram, right)
    # whoever may write may also see: the right to read alone is taken away, from a worker's user, too
    with scram.secured.without(scram.user, missing):
        said = line(scram.run(*COMMANDS[right.name]))

    assert said.startswith("error, for the operator of Kafka: ")
    assert named(missing) in said


@pytest.mark.parametrize(
    "right", [one for one in needs("operator") if one.operation in ("DescribeConfigs", "Describe")], ids=named
)
def test_a_check_of_topics_that_lacks_a_right_names_it(right: Right, secured: Secured, scram: Installation) -> None:
    # an operator who is no worker, of the same topics
    one = Installation(secured, "plain", mark=scram.mark)
    granted = set(one.rights("operator"))
    secured.grant(one.user, granted)
    try:
        assert one.run("topics", "check").exit_code == 0
        with secured.without(one.user, of(one, right)):
            assert named(of(one, right)) in one.run("topics", "check").stdout
    finally:
        secured.withdraw(one.user, granted)


def test_topics_that_may_not_be_created_are_named_all_at_once(secured: Secured) -> None:
    one = Installation(secured, "scram")
    operator = one.rights("operator")
    create = [right for right in operator if right.operation == "Create" and one.hooks not in right.name]
    secured.grant(one.user, set(operator) - set(create))

    said = line(one.run("topics", "create"))

    assert all(named(right) in said for right in create)
    secured.grant(one.user, create)
    done = one.run("topics", "create")
    assert done.exit_code == 1, "only what belongs to others is missing"
    assert done.stdout.count("is missing") == 2


WRITES: Final = [right for role in ("operator", "producer") for right in needs(role) if right.operation == "Write"]


@pytest.mark.parametrize("right", dict.fromkeys(WRITES), ids=named)
def test_who_lacks_the_right_to_write_is_told_so_at_once(right: Right, scram: Installation, tmp_path: Path) -> None:
    missing = of(scram, right)
    settings = scram.settings()
    with scram.secured.without(scram.user, missing):
        started = time.monotonic()
        if right.kind == "topic" and right.name != "agreements":
            with pytest.raises(BrokerError) as told_of:
                asyncio.run(send_all(settings, [Outgoing(missing.name, b"k", b"v")]))
            said = str(told_of.value)
        elif right == Right("transactional id", panes_writer("app"), "Write"):
            pane = ConsumerRecord(settings.topics.partials, 0, 0, 0, 0, b"p", None, None, 1, 0, ())
            with pytest.raises(BrokerError) as told_of:
                asyncio.run(send_buried(settings, Found([pane], {}, {}, {})))
            said = str(told_of.value)
        else:
            (tmp_path / "more.yaml").write_text(AGREEMENT.replace("desk", "more"))
            said = line(scram.run("agreements", "apply", tmp_path, "--yes"))

    assert named(missing) in said
    assert time.monotonic() - started < 10


# -- what lives on


def test_tokens_that_end_are_renewed_while_a_worker_runs(
    installations: Callable[[str], Installation], secured: Secured
) -> None:
    one = installations("tokens")
    settings = one.settings()
    secured.tokens.lifetime_s, before = 5.0, secured.tokens.given

    async def run() -> None:
        async with one.worker() as worker:
            for number in range(4):  # Kafka closes a connection whose token has ended
                await late_ticket(one.settings(), f"T-renewed-{number}")
                await told(settings, f"T-renewed-{number}", worker)
                await asyncio.sleep(4)

    try:
        asyncio.run(run())
    finally:
        secured.tokens.lifetime_s = 60.0
    assert secured.tokens.given - before > 4
    alerts = [record.value for record in asyncio.run(read_all(settings, settings.topics.alerts))]
    for number in range(4):
        assert sum(f"T-renewed-{number}".encode() in (value or b"") for value in alerts) == 1


def test_a_rotated_certificate_of_the_broker_is_taken_while_a_worker_runs(
    installations: Callable[[str], Installation], secured: Secured
) -> None:
    one = installations("tls")
    settings = one.settings()

    async def run() -> None:
        async with one.worker() as worker:
            await late_ticket(settings, "T-old-certificate")
            await told(settings, "T-old-certificate", worker)
            secured.certify_broker(secured.authority.certify("kafka", "IP:127.0.0.1", "DNS:kafka.example"))
            await late_ticket(settings, "T-new-certificate")  # over new connections
            await told(settings, "T-new-certificate", worker)

    asyncio.run(run())


def test_a_rotated_certificate_of_the_monitor_counts_from_its_next_start(
    installations: Callable[[str], Installation], secured: Secured
) -> None:
    # given a certificate that has ended: it is named before anything is sent
    one = installations("tls")
    old = secured.authority.certify("worker", expired=True)
    files = {"certificate_file": str(old.certificate), "key_file": str(old.key), "key_password": ""}
    said = one.run("topics", "check", **files)
    assert said.exit_code == 1
    assert "security.certificate_file: has expired on" in said.stderr
    assert str(old.certificate) in said.stderr

    # when its files are replaced, the same settings serve again
    new = secured.authority.certify("worker")
    old.certificate.write_bytes(new.certificate.read_bytes())
    old.key.write_bytes(new.key.read_bytes())
    assert one.run("topics", "check", **files).exit_code == 0
