"""Where the runtime of this project lies: in a checkout, or in the installed package."""

from __future__ import annotations

from pathlib import Path

from llmnet.devnode.errors import DevnodeError

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE.parent / "runtime_spec" / "artifacts", _PACKAGE / "devnode" / "artifacts")
_NAMES = ("llmnet_runtime.compact.compressed.wasm", "llmnet_runtime.wasm")


def runtime_artifact() -> Path:
    """The WASM file. Raises DevnodeError."""
    for folder in _FOLDERS:
        for name in _NAMES:
            if (folder / name).is_file():
                return folder / name
    raise DevnodeError(
        f"there is no runtime in {_FOLDERS[0]}; build it (runtime_spec/build-wasm.sh) or give --wasm FILE"
    )
