"""What every command has in common: help with an example, exit codes, errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from monitor.cli.root import root
from monitor.cli.terminal.failing import EXIT_CODES
from tests.cli.conftest import Run


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        yield (*path, name), command


ALL = dict(commands(root))
GROUPS = {path for path, one in ALL.items() if isinstance(one, click.Group) and not one.invoke_without_command}
NO_RESULT = {("completion",)}
"""Prints something for a machine, whatever is asked for."""


def test_all_commands_are_there():
    assert set(ALL) - GROUPS == {
        ("demo",), ("worker",), ("check",), ("schema",), ("tail",), ("replay",), ("settings",), ("init",), ("status",),
        ("completion",), ("health",), ("traffic",), ("explain",), ("simulate",), ("recompute",), ("statements",),
        ("report",),
        ("topics", "acls"), ("topics", "create"), ("topics", "check"), ("topics", "accept-loss"),
        ("agreements", "apply"), ("agreements", "list"),
        ("agreements", "show"),
        ("dead-letters", "list"), ("dead-letters", "show"), ("dead-letters", "replay"), ("dead-letters", "skip"),
        ("web",), ("ack",), ("silence", "add"), ("silence", "list"), ("silence", "expire"),
        ("deliveries",), ("deliveries", "resend"), ("receivers", "list"), ("receivers", "test"),
        ("receivers", "enable"),
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself_with_an_example_and_has_a_form_for_machines(path: tuple[str, ...], run: Run):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"sla-monitor {' '.join(path)}" in result.stdout.split("Example")[1]
    assert ("--json" in result.stdout) == (path not in GROUPS | NO_RESULT)


def test_the_exit_codes_are_told_in_one_place(run: Run):
    said = run("--help").stdout
    for code, text in EXIT_CODES.items():
        assert f"{code:<4} {text}" in said


def test_the_version_is_that_of_the_distribution(run: Run):
    assert run("--version").stdout == f"sla-monitor, version {version('sla-monitor')}\n"


@pytest.mark.parametrize(
    "wrong",
    [("chek",), ("check",), ("tail", "alarms"), ("dead-letters", "replay"), ("demo", "--speed", "0")],
    ids=" ".join,
)
def test_wrong_use_is_exit_code_2(wrong: tuple[str, ...], run: Run):
    assert run(*wrong).exit_code == 2


@pytest.mark.parametrize(
    "command",
    [("tail", "alerts"), ("topics", "check"), ("dead-letters", "list"), ("agreements", "list"), ("worker",)],
    ids=" ".join,
)
def test_an_unreachable_broker_is_one_line_for_its_operator(command: tuple[str, ...], run: Run):
    result = run(*command, "--bootstrap", "127.0.0.1:1")
    assert result.exit_code == 1
    said = [line for line in result.stderr.splitlines() if "error" in line]
    assert len(said) == 1
    assert said[0].startswith("error, for the operator of Kafka: Kafka at 127.0.0.1:1 ")
    assert not result.stdout


def test_all_mistakes_of_settings_are_told_at_once_each_where_it_was_made(run: Run, tmp_path: Path):
    file = tmp_path / "monitor.yaml"
    file.write_text("app_id: a b\nlog_levl: info\n")
    result = run(
        "settings", "--settings", file, "--bootstrap", "nowhere", env={"SLA_MONITOR_TOPICS_PARTITIONS": "none"}
    )
    assert result.exit_code == 1
    assert "monitor.yaml:1: app_id" in result.stderr
    assert "monitor.yaml:2: log_levl" in result.stderr
    assert "did you mean 'log_level'?" in result.stderr
    assert "command line: --bootstrap" in result.stderr
    assert "environment: SLA_MONITOR_TOPICS_PARTITIONS" in result.stderr
    assert result.stderr.splitlines()[-1].endswith("4 mistakes to correct")
