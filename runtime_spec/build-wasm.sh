#!/usr/bin/env bash
# Builds the runtime's WASM blob with Debian's Rust, no rustup target, no substrate-wasm-builder.
#
# Usage: build-wasm.sh [OUTPUT_DIR]
# Environment (all optional):
#   WORKSPACE   the Cargo workspace            (default: the folder of this script)
#   PACKAGE     the runtime's package name     (default: llmnet-runtime)
#   SYSROOT     where core/alloc for wasm live (default: ~/.cache/llmnet/sysroot)
#   TARGET_DIR  cargo's target directory       (default: ~/.cache/llmnet/target-wasm)
#   PROFILE     the cargo profile              (default: wasm)
#   PYTHON      a Python with zstandard        (default: python3)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workspace=$(cd "${WORKSPACE:-$here}" && pwd)
package=${PACKAGE:-llmnet-runtime}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/llmnet
sysroot=${SYSROOT:-$cache/sysroot}
target_dir=${TARGET_DIR:-$cache/target-wasm}
profile=${PROFILE:-wasm}
out=${1:-$target_dir/out}
target=wasm32v1-none
cargo_home=${CARGO_HOME:-$HOME/.cargo}
file=${package//-/_}.wasm

# Debian's compiler, its matching standard library source, and a WASM linker must be there.
missing() { echo "build-wasm: $1 is missing; run: apt-get install -y rustc-web cargo-web rust-web-src lld-22" >&2; exit 1; }
[[ -x /usr/bin/rustc ]] || missing /usr/bin/rustc
[[ -x /usr/bin/cargo ]] || missing /usr/bin/cargo
version=$(/usr/bin/rustc --version | cut -d' ' -f2)
library=/usr/src/rustc-$version/library
[[ -d $library/vendor || -d $library/core ]] || missing "$library"
linker=/usr/lib/llvm-22/bin/wasm-ld
# Without lld-22, rustup's own copy of the same linker does (same bytes come out).
[[ -x $linker ]] || linker=$(rustc --print sysroot)/lib/rustlib/$(uname -m)-unknown-linux-gnu/bin/rust-lld
[[ -x $linker ]] || missing "a WASM linker"

# Nothing a developer has set may leak into the blob.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP
export RUSTC=/usr/bin/rustc CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

# Step 1, once per compiler: build core and alloc for the target into a sysroot of our own.
libs=$sysroot/lib/rustlib/$target/lib
if [[ $(cat "$sysroot/version" 2>/dev/null) != "$(/usr/bin/rustc -vV)" ]]; then
  seed=$(mktemp -d)
  trap 'rm -rf "$seed"' EXIT
  mkdir -p "$seed/src" "$seed/.cargo" "$sysroot"
  printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\npanic = "abort"\n' >"$seed/Cargo.toml"
  printf '#![no_std]\nextern crate alloc;\n' >"$seed/src/lib.rs"
  # The standard library's own dependencies are vendored in rust-web-src: no network is needed.
  printf '[source.crates-io]\nreplace-with = "std"\n[source.std]\ndirectory = "%s/vendor"\n' "$library" >"$seed/.cargo/config.toml"
  # RUSTC_BOOTSTRAP lets a stable compiler use -Zbuild-std, here only; LTO needs core's bitcode.
  (cd "$seed" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$seed/target" /usr/bin/cargo build --quiet --offline --release --target "$target" -Z build-std=core,alloc)
  rm -rf "$libs" && mkdir -p "$libs"
  cp "$seed/target/$target/release/deps/"lib{core,alloc,compiler_builtins}-*.rlib "$libs/"
  # Written last, so that an interrupted build starts again.
  (cd "$libs" && sha256sum ./*.rlib) >"$sysroot/rlibs"
  /usr/bin/rustc -vV >"$sysroot/version"
fi

# Cargo does not see that a sysroot has changed: drop what was built with another one.
cmp -s "$sysroot/rlibs" "$target_dir/rlibs" || rm -rf "$target_dir"
mkdir -p "$target_dir" && cp "$sysroot/rlibs" "$target_dir/rlibs"

# Step 2: the flags substrate-wasm-builder would pass, our sysroot and linker, and neutral paths.
flags=(
  "--sysroot=$sysroot"
  "-Clinker=$linker"
  "-Clink-arg=--export-table"
  "-Clink-arg=--import-memory"
  "-Clink-arg=--export=__heap_base"
  "--cfg=substrate_runtime"
  # Members of the workspace are compiled by relative paths: only the registry's are absolute. A remap
  # of the workspace would put its folder into every crate's fingerprint and rebuild all in a new clone.
  "--remap-path-prefix=$cargo_home=/cargo"
)
# With --target given these flags reach only the WASM crates, not build scripts or macros.
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS

# Cargo judges by the age of files: a clone older than the last build here would get that build's crates. So what
# the last build saw is remembered by content, and the members are dropped when it has changed.
members=$(cd "$workspace" && find . -name target -prune -o -type f \( -name '*.rs' -o -name 'Cargo.*' \) -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
if [[ $members != "$(cat "$target_dir/members" 2>/dev/null)" ]]; then
  (cd "$workspace" && /usr/bin/cargo clean --quiet --locked --workspace --profile "$profile" --target "$target" --target-dir "$target_dir")
  echo "$members" >"$target_dir/members"
fi

# Step 3: build the library crate as a cdylib, in a target directory apart from the host tests'.
(cd "$workspace" && /usr/bin/cargo rustc --locked --package "$package" --lib --crate-type cdylib \
  --no-default-features --profile "$profile" --target "$target" --target-dir "$target_dir")

# Step 4: put the blob, and where Python has zstandard the compressed form, in the output folder.
mkdir -p "$out"
cp "$target_dir/$target/$profile/$file" "$out/$file"
python=${PYTHON:-python3}
if "$python" -c 'import zstandard' 2>/dev/null; then
  "$python" - "$out/$file" <<'PY'
import sys, zstandard
path = sys.argv[1]
blob = open(path, "rb").read()
magic = bytes.fromhex("52bc537646db8e05")  # sp-maybe-compressed-blob's zstd prefix
open(path.replace(".wasm", ".compact.compressed.wasm"), "wb").write(magic + zstandard.ZstdCompressor(level=19).compress(blob))
PY
fi
(cd "$out" && ls -l ./*.wasm && sha256sum ./*.wasm)
