"""The law of secrets over what runs: every command, the worker's log at the level debug, topics, metrics, objects."""

from __future__ import annotations

import gc
import logging
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from monitor.bootstrap import WebhookCourier, courier_of
from monitor.cli.root import root
from monitor.cli.terminal.log import log_to_stderr
from monitor.config.receivers.registry import requests_for
from monitor.config.receivers.requests import Sender
from monitor.config.settings.settings import Settings, load_settings
from monitor.core.paging.notices import Notice
from monitor.installation import security_options, topic_plan
from monitor.stream.kafka.connection import Connection
from monitor.stream.partitions.worker import set_log_levels
from tests.cli.every_command import COMMANDS, arguments_of
from tests.e2e.installation import Installation, desk_agreement
from tests.notify.given import notice
from tests.secrets.canaries import KINDS, Canaries, receiver
from tests.secrets.conftest import echo

DESK = desk_agreement("""\
notify: {receivers: [%s]}
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, by: [], windows: [day]}
""")


def test_the_commands_are_looked_at():
    assert len(COMMANDS) > 15
    assert {("settings",), ("receivers", "list"), ("deliveries",), ("tail",)} <= COMMANDS.keys()


@pytest.fixture
async def echoing(installation: Installation, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The installation's receivers are hostile, and its settings are full of canaries."""
    async with echo() as address:
        receivers = {kind: receiver(kind, canaries, address, secrets_only=True) for kind in KINDS}
        straight = {f"{kind}-straight": {**one} for kind, one in receivers.items()}
        for one in straight.values():
            del one["proxy"]
        installation.file.write_bytes(orjson.dumps({"receivers": receivers | straight}))
        for name, text in canaries.environment.items():
            monkeypatch.setenv(name, text)
        loaded = load_settings(installation.file, os.environ)
        installation.settings = installation.settings.model_copy(update={"receivers": loaded.receivers})
        yield installation


async def test_no_command_no_topic_no_metric_and_no_log_shows_a_canary(
    echoing: Installation, canaries: Canaries, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    installation = echoing
    names = sorted(installation.settings.receivers)
    await installation.publish(DESK % ", ".join(names))
    await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {}))
    handlers, level = logging.root.handlers[:], logging.root.level
    levels = {name: logging.getLogger(name).level for name in ("monitor", "faust", "mode", "aiokafka")}
    written = log_to_stderr(logging.DEBUG, as_json=True)
    logging.getLogger("monitor").info("the log is looked at")
    try:
        async with installation.worker(WebhookCourier(installation.settings.receivers, "sla", lambda: 0)) as worker:
            await installation.turn("2026-01-05 10:01", worker)
            await installation.turn("2026-01-05 10:02", worker)
            metrics = (await worker.metrics()).text
            prints_no_canary(canaries)
        outputs = {}
        for path, command in COMMANDS.items():
            for form in ([], ["--json"]):
                if form and not any("--json" in parameter.opts for parameter in command.params):
                    continue
                folder = tmp_path / "agreements"
                result = await installation.run(*path, *arguments_of(command, folder), *form, answer="\n")
                outputs[(*path, *form)] = result.output
    finally:
        logging.root.handlers, logging.root.level = handlers, level
        for name, one in levels.items():
            logging.getLogger(name).setLevel(one)
    written()
    log = capfd.readouterr().err

    # All were told, and what they answered is there: without that nothing would have been looked at.
    deliveries = [orjson.loads(one.value) for one in await installation.read("deliveries")]
    assert {one["data"]["receiver"] for one in deliveries} == set(names)
    assert {one["data"].get("status") for one in deliveries} >= {401}
    assert any("HTTP/1.1" in str(one["data"].get("detail")) for one in deliveries)
    assert "the log is looked at" in log
    canaries.absent_from(log, "the log")
    canaries.absent_from(metrics, "/metrics")
    for topic in (spec.name for spec in topic_plan(Settings())):
        for record in await installation.read(topic):
            canaries.absent_from(repr((record.key, record.value, record.headers)), topic)
    for called, output in outputs.items():
        canaries.absent_from(output, " ".join(called))
    for form in ((), ("--json",)):
        for name in names:
            tried = await installation.run("receivers", "test", name, *form)
            canaries.absent_from(tried.output, f"receivers test {name}")
            assert "401" in tried.output


def prints_no_canary(canaries: Canaries) -> None:
    """Look at every object of ours and of the libraries that is there."""
    ours = ("monitor", "faust", "mode", "aiokafka", "aiohttp", "pydantic")
    seen = set()
    for one in gc.get_objects():
        kind = type(one)
        if str(kind.__module__).partition(".")[0] in ours:
            seen.add(kind.__qualname__)
            for printed in (repr(one), str(one)):
                canaries.absent_from(printed, f"{kind.__module__}.{kind.__qualname__}")
    assert {"Settings", "SlackReceiver", "WorkerSettings", "WebhookCourier"} <= seen


async def test_requests_and_connections_print_no_canary(settings_file: Path, canaries: Canaries):
    password = canaries.text()
    environment = {
        "SLA_MONITOR_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SLA_MONITOR_SECURITY_MECHANISM": "PLAIN",
        "SLA_MONITOR_SECURITY_USERNAME": "sla", "SLA_MONITOR_SECURITY_PASSWORD": password,
    }  # fmt: skip
    settings = load_settings(settings_file, {**os.environ, **environment})
    told: Notice = notice()

    for name, one in settings.receivers.items():
        for request in requests_for(one, told, Sender("sla", name), 0):
            assert canaries.shown_in(str(tuple(request))), "it is what carries them"
            canaries.absent_from(f"{request!r} {request}", name)
    options = security_options(settings.security)
    connection = Connection(bootstrap="127.0.0.1:9092", security=options)
    assert options["sasl_plain_password"] == password
    canaries.absent_from(f"{options!r} {options} { {'check_crcs': True, **options} } {connection!r}", "the connection")
    courier = courier_of(settings)
    canaries.absent_from(repr(courier) + repr(vars(courier)) + repr(settings), "the courier")


def test_at_the_level_debug_aiokafka_does_not_write_the_requests_that_hold_passwords():
    levels = {name: logging.getLogger(name).level for name in ("monitor", "faust", "mode", "aiokafka")}
    try:
        set_log_levels(logging.DEBUG)
        assert not logging.getLogger("aiokafka.conn").isEnabledFor(logging.INFO)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def test_a_hostile_name_of_a_receiver_is_no_way_round(canaries: Canaries, tmp_path: Path):
    described = receiver("slack", canaries, "https://receiver.example", secrets_only=True)
    file = tmp_path / "settings.yaml"
    file.write_bytes(orjson.dumps({"receivers": {"a/b": described}}))

    told = CliRunner().invoke(root, ["settings", "--settings", str(file)], env=canaries.environment)

    assert told.exit_code == 1
    canaries.absent_from(told.output, "settings")
