"""Tensors in safetensors files: one file, or shards with an index. Mapped into memory, never read as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from llmnet.engine.errors import ModelNotFoundError, TamperedModelError, UnsupportedModelError

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
"""Types that a model may be stored in; numpy does not know bf16 and sees its bits."""

_MAX_HEADER_BYTES = 100 * 1024 * 1024  # the limit of the safetensors format
_EXPONENT_BF16 = 0x7F80
_LOOKED_AT = 1 << 22  # numbers checked at a time


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies: `offset` and `length` are bytes in `file`, header included."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int
    file: str = WEIGHTS


class TensorFiles:
    """The tensors of a directory. Nothing is opened before it is asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names = weight_files(directory)
        self.infos: Mapping[str, TensorInfo] = _read_all(directory, self.names)

    @cached_property
    def _mapped(self) -> dict[str, npt.NDArray[np.uint8]]:
        # Copy-on-write: pages are shared until written, and a write (nobody does) would never reach the file.
        return {name: np.memmap(self.directory / name, dtype=np.uint8, mode="c") for name in self.names}

    def raw(self, name: str) -> npt.NDArray[np.uint8]:
        """The stored bytes of a tensor. Raises `UnsupportedModelError` if there is none of this name."""
        info = self.infos.get(name)
        if info is None:
            raise UnsupportedModelError(f"{self.directory} has no tensor {name!r}")
        return self._mapped[info.file][info.offset : info.offset + info.length]

    def stored(self, name: str) -> npt.NDArray[Any]:
        """The tensor in the type it is stored in (bf16: its bits)."""
        raw, info = self.raw(name), self.infos[name]
        return raw.view(DTYPES[info.dtype]).reshape(info.shape)

    def array(self, name: str) -> npt.NDArray[np.float32]:
        """The tensor in fp32: mapped if it is stored so, otherwise a copy."""
        stored = self.stored(name)
        if self.infos[name].dtype == "BF16":
            return (stored.astype(np.uint32) << 16).view(np.float32)
        return stored.astype(np.float32, copy=False)

    def tensor(self, name: str) -> torch.Tensor:
        """The tensor in the type it is stored in, mapped, as torch's."""
        import torch

        stored = self.stored(name)
        if self.infos[name].dtype == "BF16":
            return torch.from_numpy(stored.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(stored)

    def check_finite(self) -> None:
        """Raise `UnsupportedModelError` for the first tensor that holds NaN or infinity."""
        for name in self.infos:
            flat = self.stored(name).reshape(-1)
            for start in range(0, len(flat), _LOOKED_AT):
                if not _finite(flat[start : start + _LOOKED_AT]):
                    raise UnsupportedModelError(
                        f"{self.directory}: tensor {name} holds NaN or infinity: no answer could come of it"
                    )


def weight_files(directory: Path) -> tuple[str, ...]:
    """Names of the files with tensors: those of the index, or the single one."""
    if not (directory / INDEX).is_file():
        return (WEIGHTS,)
    try:
        names = sorted(set(json.loads((directory / INDEX).read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TamperedModelError(f"{directory / INDEX} is not an index of tensors: {error!r}") from error
    if not names or any(not isinstance(name, str) or Path(name).name != name for name in names):
        raise TamperedModelError(f"{directory / INDEX} names files outside its directory")
    return tuple(names)


def _read_all(directory: Path, names: tuple[str, ...]) -> dict[str, TensorInfo]:
    infos: dict[str, TensorInfo] = {}
    for file in names:
        found = _read_header(directory / file)
        if twice := sorted(infos.keys() & found.keys()):
            raise TamperedModelError(f"{directory}: tensor {twice[0]} is in more than one file")
        infos |= found
    return infos


def _read_header(path: Path) -> dict[str, TensorInfo]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelNotFoundError(f"{path} does not exist")
    try:  # the library checks lengths, gaps and overlaps; it does not tell where tensors lie
        with safe_open(str(path), framework="numpy"):
            pass
    except SafetensorError as error:
        raise TamperedModelError(f"{path} is not a sound safetensors file: {error}") from error
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        header = json.loads(handle.read(min(length, _MAX_HEADER_BYTES)))
    start = 8 + length
    infos = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            infos[name] = TensorInfo(
                name, entry["dtype"], tuple(entry["shape"]), start + first, end - first, path.name
            )
    return infos


def _finite(values: npt.NDArray[Any]) -> bool:
    if values.dtype == DTYPES["BF16"]:
        return not bool(((values & _EXPONENT_BF16) == _EXPONENT_BF16).any())
    return bool(np.isfinite(values).all())
