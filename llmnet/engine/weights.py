"""Model directories: what is in them, whether it is what was sealed, and what it is called on the chain.

A model directory holds `model.safetensors` (fp32), `config.json`, `tokenizer.json`, `chat_template.jinja` and
`manifest.json`, which lists the SHA-256 of the others and the weights root. Tensors are memory-mapped:
several processes on one machine share one copy. This module needs no torch, the verifier imports it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llmnet import proof
from llmnet.engine.convert import write_json
from llmnet.engine.download import sha256_file
from llmnet.engine.errors import ModelNotFoundError, TamperedModelError, UnsupportedModelError
from llmnet.proof import NumericsClass, ServiceSpec, WeightEntry

WEIGHTS, CONFIG, TOKENIZER, TEMPLATE, MANIFEST = (
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "chat_template.jinja",
    "manifest.json",
)
_SEALED = (WEIGHTS, CONFIG, TOKENIZER, TEMPLATE)
_REMEMBERED = ".verified.json"
_MAX_HEADER_BYTES = 100 * 1024 * 1024  # the limit of the safetensors format


@dataclass(frozen=True)
class ModelConfig:
    """The numbers of a Llama-family decoder with grouped-query attention, SwiGLU and tied embeddings."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    context_length: int
    eos_token_id: int


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies: `offset` and `length` are bytes in `model.safetensors`, header included."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True)
class ModelFiles:
    """A model directory whose content has been checked."""

    path: Path
    config: ModelConfig
    tensors: Mapping[str, TensorInfo]
    weights_root: bytes

    @cached_property
    def _bytes(self) -> npt.NDArray[np.uint8]:
        # Copy-on-write: pages are shared until written, and a write (nobody does) would never reach the file.
        return np.memmap(self.path / WEIGHTS, dtype=np.uint8, mode="c")

    def array(self, name: str) -> npt.NDArray[np.float32]:
        """The memory-mapped tensor `name`. Raises `UnsupportedModelError` if there is none."""
        if name not in self.tensors:
            raise UnsupportedModelError(f"{self.path} has no tensor {name!r}")
        info = self.tensors[name]
        return self._bytes[info.offset : info.offset + info.length].view(np.float32).reshape(info.shape)

    def read_bytes(self, name: str) -> bytes:
        """The content of one of the small files (`CONFIG`, `TOKENIZER`, `TEMPLATE`)."""
        return _read(self.path / name)

    @property
    def tokenizer_hash(self) -> bytes:
        """`H("tokenizer", bytes of tokenizer.json)`."""
        return proof.tokenizer_hash(self.read_bytes(TOKENIZER))

    @property
    def template_hash(self) -> bytes:
        """`H("template", chat template source)`."""
        return proof.template_hash(self.read_bytes(TEMPLATE).decode())


def load_model_dir(path: Path | str, *, verify: bool = False) -> ModelFiles:
    """Open a sealed model directory.

    Every file is hashed on the first load; later loads trust size and change times unless `verify` is set.
    Raises `ModelNotFoundError`, `TamperedModelError` (a byte differs from what was sealed) or
    `UnsupportedModelError`.
    """
    directory = Path(path)
    manifest = _manifest(directory)
    if verify or not _remembered(directory):
        _verify(directory, manifest)
        _remember(directory)
    return _open(directory, bytes.fromhex(manifest["weights_root"]))


def seal_model_dir(path: Path | str) -> ModelFiles:
    """Write `manifest.json` for the files that are in the directory now, and open it."""
    directory = Path(path)
    unsealed = _open(directory, b"")
    files = {name: {"sha256": sha256_file(directory / name)} for name in _SEALED}
    root = _weights_root(unsealed)
    write_json(directory / MANIFEST, {"format": 1, "files": files, "weights_root": root.hex()})
    return load_model_dir(directory)


def weights_root(model_dir: Path | str) -> bytes:
    """The weights root, computed from the tensors themselves (about a second per gigabyte), not read from the
    manifest.
    """
    return _weights_root(_open(Path(model_dir), b""))


def service_spec(
    files: ModelFiles,
    graph_hash: bytes,
    numerics: NumericsClass = NumericsClass.FP32,
    *,
    name: str | None = None,
    top_k: int = 20,
    logit_shift: int = 9,
    hidden_shift: int = 9,
    context_length: int | None = None,
) -> ServiceSpec:
    """The on-chain description of this model as it is served. `graph_hash` is that of the verifier's ONNX
    graph.
    """
    return ServiceSpec(
        name=(name or files.path.name).encode(),
        weights_root=files.weights_root,
        tokenizer_hash=files.tokenizer_hash,
        template_hash=files.template_hash,
        graph_hash=graph_hash,
        sampler_version=1,
        top_k=top_k,
        numerics=numerics,
        vocab_size=files.config.vocab_size,
        context_length=context_length or files.config.context_length,
        logit_shift=logit_shift,
        hidden_shift=hidden_shift,
    )


def layer_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of one decoder layer, by the name that follows `model.layers.<i>.`."""
    hidden, middle = config.hidden_size, config.intermediate_size
    rows, kv_rows = config.num_heads * config.head_dim, config.num_kv_heads * config.head_dim
    return {
        "input_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (rows, hidden),
        "self_attn.k_proj.weight": (kv_rows, hidden),
        "self_attn.v_proj.weight": (kv_rows, hidden),
        "self_attn.o_proj.weight": (hidden, rows),
        "post_attention_layernorm.weight": (hidden,),
        "mlp.gate_proj.weight": (middle, hidden),
        "mlp.up_proj.weight": (middle, hidden),
        "mlp.down_proj.weight": (hidden, middle),
    }


def expected_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor the model must have, with its shape."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, config.hidden_size),
        "model.norm.weight": (config.hidden_size,),
    }
    for layer in range(config.num_layers):
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in layer_shapes(config).items()}
    return shapes


def _open(directory: Path, root: bytes) -> ModelFiles:
    config = parse_config(directory)
    tensors = _read_header(directory / WEIGHTS)
    for name, shape in expected_shapes(config).items():
        found = tensors.get(name)
        if found is None or found.shape != shape or found.dtype != "F32":
            said = "missing" if found is None else f"{found.dtype} {list(found.shape)}"
            raise UnsupportedModelError(f"{directory}: tensor {name} is {said}; needed: F32 {list(shape)}")
    return ModelFiles(directory, config, tensors, root)


def parse_config(directory: Path) -> ModelConfig:
    """Read and check `config.json`. Raises `UnsupportedModelError`."""
    raw = _json(directory / CONFIG)
    if (
        raw.get("model_type") != "llama"
        or not raw.get("tie_word_embeddings")
        or raw.get("hidden_act") != "silu"
    ):
        raise UnsupportedModelError(
            f"{directory}: only model_type 'llama' with tied embeddings and SiLU is supported"
        )
    if raw.get("attention_bias") or raw.get("mlp_bias") or raw.get("rope_scaling"):
        raise UnsupportedModelError(f"{directory}: biases and rope scaling are not supported")
    try:
        return ModelConfig(
            vocab_size=int(raw["vocab_size"]),
            hidden_size=int(raw["hidden_size"]),
            intermediate_size=int(raw["intermediate_size"]),
            num_layers=int(raw["num_hidden_layers"]),
            num_heads=int(raw["num_attention_heads"]),
            num_kv_heads=int(raw["num_key_value_heads"]),
            head_dim=int(raw["head_dim"]),
            rms_norm_eps=float(raw["rms_norm_eps"]),
            rope_theta=float(raw["rope_theta"]),
            context_length=int(raw["max_position_embeddings"]),
            eos_token_id=int(raw["eos_token_id"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnsupportedModelError(f"{directory / CONFIG}: {error!r}") from error


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
            infos[name] = TensorInfo(name, entry["dtype"], tuple(entry["shape"]), start + first, end - first)
    return infos


def _weights_root(files: ModelFiles) -> bytes:
    return proof.weights_root(list(_entries(files)))


def _entries(files: ModelFiles) -> Iterator[WeightEntry]:
    with (
        (files.path / WEIGHTS).open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for name in sorted(files.tensors):
            info = files.tensors[name]
            with memoryview(content)[info.offset : info.offset + info.length] as raw:
                digest = hashlib.blake2b(raw, digest_size=32).digest()
            yield WeightEntry(name, info.dtype, info.shape, digest)


def _manifest(directory: Path) -> dict[str, Any]:
    if not directory.is_dir():
        raise ModelNotFoundError(f"{directory} is not a directory")
    if not (directory / MANIFEST).is_file():
        raise ModelNotFoundError(
            f"{directory} has no {MANIFEST}; if you trust the files in it, seal it with seal_model_dir()"
        )
    manifest = _json(directory / MANIFEST)
    try:
        sound = set(manifest["files"]) == set(_SEALED) and len(bytes.fromhex(manifest["weights_root"])) == 32
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise TamperedModelError(
            f"{directory / MANIFEST} is damaged; delete the directory and fetch the model again"
        )
    return manifest


def _verify(directory: Path, manifest: dict[str, Any]) -> None:
    """Hash every file, and the tensors once more for the root: so a changed manifest is seen as well."""
    for name, sealed in manifest["files"].items():
        path = directory / name
        if not path.is_file():
            raise ModelNotFoundError(f"{path} does not exist")
        digest = sha256_file(path)
        if digest != sealed.get("sha256"):
            raise TamperedModelError(
                f"{path}: sha256 {digest}, sealed as {sealed.get('sha256')}; "
                "delete the directory and fetch it again"
            )
    root = weights_root(directory)
    if root.hex() != manifest["weights_root"]:
        raise TamperedModelError(
            f"{directory}: weights root {root.hex()}, sealed as {manifest['weights_root']}"
        )


def _state(directory: Path) -> dict[str, list[int]]:
    stats = {name: (directory / name).stat() for name in (*_SEALED, MANIFEST)}
    return {
        name: [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for name, stat in stats.items()
    }


def _remembered(directory: Path) -> bool:
    try:
        return bool(json.loads((directory / _REMEMBERED).read_bytes()) == _state(directory))
    except (OSError, ValueError):  # no note, or a damaged one: check again
        return False


def _remember(directory: Path) -> None:
    try:
        write_json(directory / _REMEMBERED, _state(directory))
    except OSError:  # a read-only directory is fine, it is only hashed at every start
        return


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read(path))
    except ValueError as error:
        raise TamperedModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise TamperedModelError(f"{path} is not a JSON object")
    return value


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path} does not exist") from error
