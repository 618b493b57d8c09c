#!/usr/bin/env bash
# Proves that artifacts/ belongs to the sources: builds the runtime again and compares the blobs byte by byte.
#
# Usage: check-artifact.sh [--fast]
#   --fast   builds nothing: compares the hash of the sources and the checksums of the files (needs no Rust)
# Environment: as build-wasm.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python}
[[ -x $python ]] || python=${PYTHON:-python3}
case ${1:-} in
  "" | --fast) ;;
  *) echo "check-artifact: unknown option $1; usage: check-artifact.sh [--fast]" >&2; exit 2 ;;
esac

"$python" "$here/artifact.py" check
echo "check-artifact: sources and checksums agree"
[[ ${1:-} == --fast ]] && exit 0

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
PYTHON=$python "$here/build-wasm.sh" "$out"
"$python" "$here/artifact.py" unpack "$out/committed.wasm"
if ! cmp "$out/llmnet_runtime.wasm" "$out/committed.wasm"; then
  echo "check-artifact: the sources build another blob than the committed one; run ./make-artifact.sh" >&2
  exit 1
fi
echo "check-artifact: the sources build the committed blob, byte by byte"
