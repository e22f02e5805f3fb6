"""What the core is held to beside its imports, which the linter holds: no clock, no files, short modules."""

import ast
from pathlib import Path

import pytest

import monitor.core

MODULES = sorted(Path(monitor.core.__file__).parent.rglob("*.py"))
CLOCKS = {"now", "utcnow", "today"}
INPUT_AND_OUTPUT = {"open", "print", "input", "breakpoint"}
LONGEST = 400


def impurities(text):
    """The calls that ask a clock, read or write."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    clocks = [one.attr for one in calls if isinstance(one, ast.Attribute) and one.attr in CLOCKS]
    return clocks + [one.id for one in calls if isinstance(one, ast.Name) and one.id in INPUT_AND_OUTPUT]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_of_the_core_asks_no_clock_reads_nothing_and_is_not_long(module):
    text = module.read_text(encoding="utf-8")
    assert impurities(text) == []
    assert len(text.splitlines()) <= LONGEST


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("datetime.now(UTC)", ["now"]),
        ("date.today()", ["today"]),
        ("with open('x') as file: pass", ["open"]),
        ("print(1)", ["print"]),
        ("look.now_ms", []),
    ],
)
def test_what_is_not_pure_is_found(text, found):
    assert impurities(text) == found
