"""The committed runtime artifact: written from a fresh build, checked against its sources.

    python artifact.py sources                  print the hash of the sources
    python artifact.py write RAW_WASM SOURCES   compress the blob that was built from the sources with that hash, read
                                                its metadata, write the checksums
    python artifact.py check                    sources, files and the blob inside agree with artifacts/SHA256SUMS
    python artifact.py unpack FILE              write the raw blob out of the committed artifact

`write` needs this repository's Python environment (it runs the blob); the others need `zstandard` only.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

HERE = Path(__file__).resolve().parent
ARTIFACTS = HERE / "artifacts"
SUMS = ARTIFACTS / "SHA256SUMS"
BLOB = "llmnet_runtime.wasm"
COMPRESSED = "llmnet_runtime.compact.compressed.wasm"
METADATA_VERSIONS = (14, 15, 16)
# What marks a zstd-compressed runtime (sp-maybe-compressed-blob).
MAGIC = bytes.fromhex("52bc537646db8e05")
# A blob of ours is 2 MB; what unpacks to more than this is something else.
MAX_BLOB_BYTES = 64 * 1024 * 1024
# Only compiled for tests, so the blob does not depend on them.
TEST_FILES = ("life.rs", "mock.rs", "properties.rs", "testing.rs", "tests.rs")


class ArtifactError(Exception):
    """The artifact does not belong to the sources, or is damaged. The text says what to do."""


def source_files() -> Iterator[Path]:
    """The files that the blob is built from, sorted by path."""
    roots = ("primitives", "pallets", "runtime")
    paths = [HERE / "Cargo.toml", HERE / "Cargo.lock", HERE / "build-wasm.sh"]
    for root in roots:
        paths += [
            path for path in (HERE / root).rglob("*") if path.suffix == ".rs" or path.name == "Cargo.toml"
        ]
    yield from sorted(path for path in paths if not _is_test(path.relative_to(HERE)))


def _is_test(path: Path) -> bool:
    hidden = {"target", "tests", "examples", "benches"} & set(path.parts)
    return bool(hidden) or path.name in TEST_FILES or path.name.endswith("_tests.rs")


def source_hash() -> str:
    """SHA-256 over the sources: for each file its path, its length in bytes and its bytes."""
    state = hashlib.sha256()
    for path in source_files():
        data = path.read_bytes()
        state.update(f"{path.relative_to(HERE).as_posix()}\n{len(data)}\n".encode())
        state.update(data)
    return state.hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unpack() -> bytes:
    """The raw blob in the committed artifact. Raises ArtifactError if it is not one."""
    data = (ARTIFACTS / COMPRESSED).read_bytes()
    if not data.startswith(MAGIC):
        raise ArtifactError(
            f"{COMPRESSED} does not begin with the prefix of a compressed runtime; write it anew"
        )
    try:
        return zstandard.ZstdDecompressor().decompress(data[len(MAGIC) :], max_output_size=MAX_BLOB_BYTES)
    except zstandard.ZstdError as error:
        raise ArtifactError(f"{COMPRESSED} cannot be unpacked ({error}); write it anew") from None


def read_metadata(blob: bytes) -> dict[int, bytes]:
    """The blob's metadata by version, as it tells by `Metadata_metadata_at_version`."""
    sys.path.insert(0, str(HERE.parent))
    from llmnet.devnode import Overlay, Runtime, State

    runtime, found = Runtime(blob), {}
    for version in METADATA_VERSIONS:
        argument = version.to_bytes(4, "little")
        answer = runtime.call("Metadata_metadata_at_version", argument, Overlay(State()))
        if answer[:1] != b"\x01":
            raise ArtifactError(f"the runtime knows no metadata version {version}; list another one here")
        length, start = _compact(answer, 1)
        found[version] = answer[start : start + length]
    return found


def _compact(data: bytes, at: int) -> tuple[int, int]:
    """A SCALE compact number below 2^30 and where it ends."""
    size = (1, 2, 4)[data[at] & 3]
    return int.from_bytes(data[at : at + size], "little") >> 2, at + size


def write(raw: Path, sources: str) -> None:
    """Writes all files of the artifact for the blob `raw`, built when the sources had the hash `sources`.

    Raises ArtifactError if they have another one by now.
    """
    if source_hash() != sources:
        raise ArtifactError("the sources have changed since the build began; run ./make-artifact.sh again")
    blob = raw.read_bytes()
    ARTIFACTS.mkdir(exist_ok=True)
    files = {COMPRESSED: MAGIC + zstandard.ZstdCompressor(level=19).compress(blob)}
    files |= {f"metadata_v{version}.scale": data for version, data in read_metadata(blob).items()}
    for name, data in files.items():
        (ARTIFACTS / name).write_bytes(data)
    sums = {name: _sha256(data) for name, data in files.items()}
    sums |= {BLOB: _sha256(blob), "sources": sources}
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def check() -> None:
    """Raises ArtifactError at the first thing that does not agree with SHA256SUMS."""
    lines = (line.split(maxsplit=1) for line in SUMS.read_text().splitlines())
    sums = {name: digest for digest, name in lines}
    if sums.pop("sources", None) != source_hash():
        raise ArtifactError(
            "the sources are newer than the artifact; run ./make-artifact.sh and commit artifacts/"
        )
    if sums.pop(BLOB, None) != _sha256(unpack()):
        raise ArtifactError(f"{COMPRESSED} holds another blob than SHA256SUMS says; run ./make-artifact.sh")
    expected = {COMPRESSED, *(f"metadata_v{version}.scale" for version in METADATA_VERSIONS)}
    if set(sums) != expected:
        raise ArtifactError("SHA256SUMS does not list the files it should; run ./make-artifact.sh")
    for name, digest in sums.items():
        if digest != _sha256((ARTIFACTS / name).read_bytes()):
            raise ArtifactError(f"{name} is not what SHA256SUMS says; run ./make-artifact.sh")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["sources"]:
            sys.stdout.write(f"{source_hash()}\n")
        case ["write", raw, sources]:
            write(Path(raw), sources)
        case ["check"]:
            check()
        case ["unpack", target]:
            Path(target).write_bytes(unpack())
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except (ArtifactError, OSError) as error:
        sys.stderr.write(f"artifact: {error}\n")
        raise SystemExit(1) from None
