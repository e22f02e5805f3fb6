"""The map (`monitor/README.md`) and the reference of the domain say what is there."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from monitor.stream.partitions.partition import PartitionState
from monitor.wire.rows import SOURCE_ROWS
from tests.stream.fakes import FakeWriter

ROOT = Path(__file__).parents[1]
MONITOR = ROOT / "monitor"
CORE = MONITOR / "core"
MAP = (MONITOR / "README.md").read_text(encoding="utf-8")
DOMAIN = (CORE / "domain.md").read_text(encoding="utf-8")
SOURCES = sorted([*MONITOR.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def rows():
    """The files of each package of the core, as the table of floors names them."""
    table = MAP.partition("## The core, floor by floor")[2].partition("\n## ")[0]
    found = {}
    for floor, package, files in re.findall(r"^\| (\d) \| (?:`(\w+)/`)? *\| (.+) \|$", table, re.MULTILINE):
        found.setdefault(package, (int(floor), set()))[1].update(re.findall(r"`(\w+\.py)`", files))
    return found


def modules():
    """The files of each package of the core that are there."""
    found = {}
    for file in CORE.rglob("*.py"):
        if file.name != "__init__.py":
            found.setdefault("" if file.parent == CORE else file.parent.name, set()).add(file.name)
    return found


def test_the_map_names_every_file_of_the_core_and_no_other():
    assert {package: files for package, (_, files) in rows().items()} == modules()


def test_the_floors_of_the_map_are_those_that_the_linter_holds():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["monitor.core"])
    floors = [layer.split(" | ") for layer in layers if layer != "kinds"]  # a table between two floors
    held = {unit: len(floors) - 1 - place for place, units in enumerate(floors) for unit in units}

    assert {package: floor for package, (floor, _) in rows().items() if package} == {
        unit: floor for unit, floor in held.items() if (CORE / unit).is_dir()
    }


def test_the_map_shows_the_topics_in_the_order_in_which_the_pipeline_lists_them():
    table = MAP.partition("## The main flow in one screen")[2].partition("\n\nEach")[0]
    shown = [
        (topic, file)
        for topics, file in re.findall(r"^\| (.+?) \| `([\w/.]+)`", table, re.MULTILINE)
        for topic in re.findall(r"`(\w+)`", topics) or ["others"]
    ]
    others = {"name": "jira-webhooks", "mapping": str(ROOT / "deploy/mappings/jira.yaml")}
    sources = Monitor(Settings(sources=[{"topic": others["name"], "mapping": others["mapping"]}])).pipeline.sources()
    state = PartitionState(topic="x", partition=0, changelog="x", codec=SOURCE_ROWS, writer=FakeWriter())
    files = {
        topic: type(source.processor(state)).__module__.replace(".", "/").removeprefix("monitor/") + ".py"
        for topic, source in sources.items()
    }

    assert [("others" if topic == others["name"] else topic, file) for topic, file in files.items()] == shown


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+[\w-]+\.\w+)`", MAP))))
def test_every_path_that_the_map_names_is_there(path):
    assert (MONITOR / path).exists() or (ROOT / path).exists()


def test_every_section_of_the_domain_that_is_cited_is_there():
    cited = {
        section
        for source in SOURCES
        for sections in re.findall(r"domain\.md (§[^).:;]*)", source.read_text(encoding="utf-8"))
        for section in re.findall(r"§\d+", sections)
    }

    assert len(cited) > 5
    assert cited <= set(re.findall(r"^## (§\d+)", DOMAIN, re.MULTILINE))


def test_every_document_that_a_docstring_cites_is_there():
    cited = {
        name
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for name in re.findall(r"(?<![\w/-])[\w-]+\.md\b", ast.get_docstring(node) or "")  # none of those at an address
    }

    assert "domain.md" in cited
    assert {name for name in cited if not any(MONITOR.rglob(name))} == set()
