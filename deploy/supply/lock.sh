#!/bin/sh
# Makes the locks and the bill of materials from pyproject.toml:
#   requirements.txt        what the program needs, every file by hash, for every Python and system that is supported
#   requirements-test.txt   the same, and what the tests need
#   deploy/supply/sbom.cdx.json   what the program needs, with licences and what needs what (CycloneDX 1.6)
# and, where cargo is there, of the native package from its Cargo.toml and pyproject.toml:
#   monitor/native/requirements.txt       what builds its wheel
#   monitor/native/Cargo.lock             its crates, by checksum
#   deploy/supply/sbom-native.cdx.json    what its wheel is made of
# What is locked stays as it is unless an argument says otherwise: --upgrade, or --upgrade-package NAME (of Python).
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/tools"
"$work/tools/bin/pip" install -q --disable-pip-version-check uv==0.13.9 cyclonedx-bom==7.5.0
export UV_CUSTOM_COMPILE_COMMAND=deploy/supply/lock.sh

lock() {
  # With extras: pip 23 (Python 3.11 and 3.12 bring it) does not know otherwise that coverage[toml] is pinned, too.
  "$work/tools/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras "$@"
}
# What builds a project; pip would fetch whichever is newest, so it is locked too.
builder() {
  sed -n 's/^requires = \["\([^"]*\)"\].*$/\1/p' "$1"
}
builder pyproject.toml | lock -o requirements.txt "$@" pyproject.toml -
builder pyproject.toml | lock -o requirements-test.txt -c requirements.txt --extra test "$@" pyproject.toml -
builder monitor/native/pyproject.toml | lock -o monitor/native/requirements.txt "$@" -

"$work/tools/bin/uv" venv -q "$work/program"
VIRTUAL_ENV="$work/program" "$work/tools/bin/uv" pip install -q --require-hashes -r requirements.txt
"$work/tools/bin/cyclonedx-py" environment --output-reproducible --of JSON --sv 1.6 --pyproject pyproject.toml \
  "$work/program" | python3 deploy/supply/sbom.py > deploy/supply/sbom.cdx.json.new
mv deploy/supply/sbom.cdx.json.new deploy/supply/sbom.cdx.json

if command -v cargo > /dev/null; then
  case " $* " in
    *" --upgrade "*) cargo update -q --manifest-path monitor/native/Cargo.toml ;;
    *) cargo metadata -q --format-version 1 --manifest-path monitor/native/Cargo.toml > /dev/null ;;  # adds what is new
  esac
  python3 deploy/supply/crates.py --write
else
  echo "there is no cargo: the crates of the native package stay as they are locked"
fi
