#!/usr/bin/env bash
# Builds the runtime and writes artifacts/ anew. Needs what build-wasm.sh needs, and the repository's Python.
#
# Usage: make-artifact.sh
# Environment: as build-wasm.sh; PYTHON defaults to the repository's own environment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python}
[[ -x $python ]] || python=${PYTHON:-python3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Sources that change while they are built would be vouched for with the wrong blob.
sources=$("$python" "$here/artifact.py" sources)
PYTHON=$python "$here/build-wasm.sh" "$out"
"$python" "$here/artifact.py" write "$out/llmnet_runtime.wasm" "$sources"
ls -l "$here/artifacts"
