"""Makes the bill of materials smaller and steady: reads CycloneDX from stdin, writes it to stdout. Called by lock.sh.

Kept are name, version, package URL, licences and dependencies. The hashes of all files stand in requirements.txt.
"""

from __future__ import annotations

import json
import sys
from typing import Any

KEPT = ("bom-ref", "type", "name", "version", "purl", "licenses")


def component(found: dict[str, Any]) -> dict[str, Any]:
    """Return a component without links, descriptions and the texts of licences."""
    kept = {key: found[key] for key in KEPT if key in found}
    licences = [
        {key: value for key, value in one.get("license", {}).items() if key in ("id", "name")}
        for one in kept.pop("licenses", [])
        if "license" in one and "text" not in one["license"]
    ]
    expressions = [{"expression": one["expression"]} for one in found.get("licenses", []) if "expression" in one]
    said = expressions[:1] or [{"license": one} for one in licences if one]
    if said:
        kept["licenses"] = said
    return kept


def smaller(bom: dict[str, Any]) -> dict[str, Any]:
    """Return the bill of materials in its short form."""
    return {
        "bomFormat": bom["bomFormat"],
        "specVersion": bom["specVersion"],
        "version": 1,
        "metadata": {"component": component(bom["metadata"]["component"])},
        "components": [component(one) for one in sorted(bom["components"], key=lambda one: one["name"].lower())],
        "dependencies": [
            {"ref": one["ref"], "dependsOn": sorted(one.get("dependsOn", []))}
            for one in sorted(bom["dependencies"], key=lambda one: one["ref"].lower())
        ],
    }


if __name__ == "__main__":
    json.dump(smaller(json.load(sys.stdin)), sys.stdout, indent=1)
    sys.stdout.write("\n")
