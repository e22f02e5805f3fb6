#!/bin/sh
# Makes the locks and the bill of materials from pyproject.toml:
#   requirements.txt        what the program needs, every file by hash, for every Python and system that is supported
#   requirements-test.txt   the same, and what the tests need
#   deploy/supply/sbom.cdx.json   what the program needs, with licences and what needs what (CycloneDX 1.6)
# What is locked stays as it is unless an argument says otherwise: --upgrade, or --upgrade-package NAME.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/tools"
"$work/tools/bin/pip" install -q --disable-pip-version-check uv==0.13.9 cyclonedx-bom==7.5.0
export UV_CUSTOM_COMPILE_COMMAND=deploy/supply/lock.sh

lock() {
  # With extras: pip 23 (Python 3.11 and 3.12 bring it) does not know otherwise that coverage[toml] is pinned, too.
  # setuptools builds the project; pip would fetch whichever is newest, so it is locked too.
  sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml |
    "$work/tools/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras "$@" pyproject.toml -
}
lock -o requirements.txt "$@"
lock -o requirements-test.txt -c requirements.txt --extra test "$@"

"$work/tools/bin/uv" venv -q "$work/program"
VIRTUAL_ENV="$work/program" "$work/tools/bin/uv" pip install -q --require-hashes -r requirements.txt
"$work/tools/bin/cyclonedx-py" environment --output-reproducible --of JSON --sv 1.6 --pyproject pyproject.toml \
  "$work/program" | python3 deploy/supply/sbom.py > deploy/supply/sbom.cdx.json.new
mv deploy/supply/sbom.cdx.json.new deploy/supply/sbom.cdx.json
