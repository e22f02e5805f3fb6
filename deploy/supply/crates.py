"""Looks after the crates of the native package: ``python deploy/supply/crates.py [--write]``.

Each crate that Cargo.lock names must come from the public registry, with a checksum, and under a licence that
``monitor/native/deny.toml`` allows; the bill of materials (``sbom-native.cdx.json``) must be that of the lock.
``--write`` writes it, and is called by lock.sh. It asks ``cargo metadata``. Exit code 0: well. 1: what is wrong is
printed. 2: cargo does not answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "monitor" / "native"
BOM = ROOT / "deploy" / "supply" / "sbom-native.cdx.json"
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
SHIPPED = {None, "build"}
"""Kinds of dependencies that make the wheel; the third kind, "dev", makes tests."""


def permitted(expression: str, allowed: set[str]) -> bool:
    """Return whether a licence expression (SPDX, or the old ``MIT/Apache-2.0``) leaves a choice that is allowed."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def one_of() -> bool:
        found = all_of()
        while words and words[0] == "OR":
            words.pop(0)
            found = all_of() or found
        return found

    def all_of() -> bool:
        found = one()
        while words and words[0] == "AND":
            words.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        word = words.pop(0) if words else ""
        if word == "(":
            found = one_of()
            return bool(words) and words.pop(0) == ")" and found
        if words[:1] == ["WITH"]:
            word = " ".join([word, words.pop(0), words.pop(0) if words else ""])
        return word in allowed

    return one_of() and not words


def complaints(locked: list[dict[str, Any]], packages: list[dict[str, Any]], allowed: set[str]) -> list[str]:
    """Return what is wrong with crates, as Cargo.lock and ``cargo metadata`` tell of them."""
    ours = {one["name"] for one in locked if "source" not in one}
    found = [
        f"{one['name']} {one['version']}: from {one['source']}, by {one.get('checksum', 'no checksum')}"
        for one in locked
        if "source" in one and (one["source"] != REGISTRY or "checksum" not in one)
    ]
    if len(ours) != 1:
        found.append(f"crates without a source: {', '.join(sorted(ours))}")
    return found + [
        f"{one['name']} {one['version']}: its licence is {one['license'] or 'not told'}"
        for one in packages
        if not permitted(one["license"] or "", allowed)
    ]


def bill(told: dict[str, Any]) -> dict[str, Any]:
    """Return the bill of materials (CycloneDX) of what makes the wheel, in the short form of sbom.py."""
    needs = {
        node["id"]: [
            one["pkg"] for one in node["deps"] if any(each["kind"] in SHIPPED for each in one["dep_kinds"])
        ]
        for node in told["resolve"]["nodes"]
    }  # fmt: skip
    root = told["resolve"]["root"]
    reached: set[str] = set()
    waiting = [root]
    while waiting:
        if (crate := waiting.pop()) not in reached:
            reached.add(crate)
            waiting += needs[crate]
    packages = {one["id"]: one for one in told["packages"] if one["id"] in reached}
    refs = {name: f"{one['name']}@{one['version']}" for name, one in packages.items()}

    def component(name: str) -> dict[str, Any]:
        one = packages[name]
        return {
            "bom-ref": refs[name],
            "type": "library",
            "name": one["name"],
            "version": one["version"],
            "purl": f"pkg:cargo/{refs[name]}",
            "licenses": [{"expression": one["license"].replace("/", " OR ")}],
        }

    by_ref = sorted(reached, key=refs.__getitem__)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(name) for name in by_ref if name != root],
        "dependencies": [
            {"ref": refs[name], "dependsOn": sorted(refs[one] for one in needs[name])} for name in by_ref
        ],
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    """Check, or write the bill of materials; return the exit code."""
    asked = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(NATIVE / "Cargo.toml")],  # noqa: S607 - the cargo that is installed
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode:
        print(f"crates: cargo does not answer: {asked.stderr.strip()[-300:]}")
        return 2
    told = json.loads(asked.stdout)
    text = json.dumps(bill(told), indent=1) + "\n"
    if "--write" in arguments:
        BOM.write_text(text, encoding="utf-8")
    locked = tomllib.loads((NATIVE / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    rules = tomllib.loads((NATIVE / "deny.toml").read_text(encoding="utf-8"))
    wrong = complaints(locked, told["packages"], set(rules["licenses"]["allow"]))
    if BOM.read_text(encoding="utf-8") != text:
        wrong.append(f"{BOM.name} is not that of the lock: deploy/supply/crates.py --write")
    print(
        "\n".join(wrong)
        or f"crates: {len(locked) - 1}, all from the registry by checksum, under licences that are allowed"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
