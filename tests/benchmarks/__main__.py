"""Runs one benchmark: ``python -m tests.benchmarks NAME [--runs N] [--json FILE]``; ``-h`` lists them.

It prints each run's figures, then minimum, median and maximum of each. A benchmark that can be asked more has
``options(parser)``, and ``main`` takes what was asked.
"""

from __future__ import annotations

import argparse
import ast
import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.runs import repeat

RUNS = 3
"""Of a benchmark that has no ``RUNS`` of its own."""


def benchmarks() -> dict[str, str]:
    """Return the name and the first docstring line of each; read, not imported: some need a broker's packages."""
    found = {}
    folder = Path(__file__).parent
    for file in sorted([*folder.glob("*.py"), *folder.glob("*/__init__.py")]):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            name = file.parent.name if file.name == "__init__.py" else file.stem
            found[name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    found.pop("__main__")
    return found


def main() -> None:
    known = benchmarks()
    width = max(map(len, known))
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Run one benchmark and print its figures.",
        epilog="\n".join(["benchmarks:", *(f"  {name:{width}}  {line}" for name, line in known.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # a benchmark's own options may begin like these
        add_help=sys.argv[1:2] == [] or sys.argv[1] not in known,  # else it is about the benchmark
    )
    parser.add_argument("name", choices=known, metavar="NAME", help="one of the benchmarks below")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--runs", "--rounds", type=_count, metavar="N", help=f"so many runs, each a process of its own [{RUNS}]"
    )
    parser.add_argument("--one-run", action="store_true", help=argparse.SUPPRESS)
    asked, more = parser.parse_known_args()
    module = import_module(f"tests.benchmarks.{asked.name}")
    its_own = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks {asked.name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if hasattr(module, "options"):
        module.options(its_own)
    its_options = its_own.parse_args(more)
    if not asked.one_run:
        repeat(asked.name, asked.runs or getattr(module, "RUNS", RUNS), more, asked.json)
    elif hasattr(module, "options"):
        module.main(asked.json, its_options)
    else:
        module.main(asked.json)


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("run it at least once")
    return count


if __name__ == "__main__":
    main()
