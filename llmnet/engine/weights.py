"""Model directories: what is in them, whether it is what was sealed, and what it is called on the chain.

A model directory holds `model.safetensors` (or shards and their index), `config.json`, `tokenizer.json`,
`chat_template.jinja` and `manifest.json`, which lists the SHA-256 of the others and the weights root. Tensors are
memory-mapped: several processes on one machine share one copy. This module needs no torch, the verifier imports it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from llmnet import proof
from llmnet.engine.download import sha256_file
from llmnet.engine.errors import ModelError, ModelNotFoundError, TamperedModelError, UnsupportedModelError
from llmnet.engine.files import write_json
from llmnet.engine.model_config import ModelConfig, expected_shapes, parse_config
from llmnet.engine.tensor_files import DTYPES, INDEX, TensorFiles, TensorInfo, weight_files
from llmnet.proof import NumericsClass, ServiceSpec, WeightEntry

if TYPE_CHECKING:
    import torch

    from llmnet.engine.tokenizer import Tokenizer

CONFIG, TOKENIZER, TEMPLATE, MANIFEST = (
    "config.json",
    "tokenizer.json",
    "chat_template.jinja",
    "manifest.json",
)
_TOKENIZER_CONFIG = "tokenizer_config.json"
# Left over from how a model was trained or saved, and used by nobody.
_SUPERFLUOUS = re.compile(r"lm_head\.weight|.*\.rotary_emb\.inv_freq")
_REMEMBERED = ".verified.json"


@dataclass(frozen=True)
class ModelFiles:
    """A model directory whose content has been checked."""

    path: Path
    config: ModelConfig
    files: TensorFiles
    weights_root: bytes

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """Where every tensor lies."""
        return self.files.infos

    def array(self, name: str) -> npt.NDArray[np.float32]:
        """Tensor `name` in fp32, mapped if it is stored so. Raises `UnsupportedModelError` if there is none."""
        return self.files.array(name)

    def tensor(self, name: str) -> torch.Tensor:
        """The same as torch's, in the type it is stored in."""
        return self.files.tensor(name)

    def read_bytes(self, name: str) -> bytes:
        """The content of one of the small files (`CONFIG`, `TOKENIZER`, `TEMPLATE`)."""
        return _read(self.path / name)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer. Whoever asks these files gets the same one: making it takes a third of a second."""
        from llmnet.engine.tokenizer import Tokenizer

        return Tokenizer(self)

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
    _bring_out_template(directory)
    unsealed = _open(directory, b"")
    files = {name: {"sha256": sha256_file(directory / name)} for name in _sealed(directory)}
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


def _sealed(directory: Path) -> tuple[str, ...]:
    """Names of the files that make the model."""
    index = (INDEX,) if (directory / INDEX).is_file() else ()
    return (*weight_files(directory), *index, CONFIG, TOKENIZER, TEMPLATE)


def _bring_out_template(directory: Path) -> None:
    """Older directories have the chat template inside another file."""
    inside = directory / _TOKENIZER_CONFIG
    if (directory / TEMPLATE).is_file() or not inside.is_file():
        return
    template = _json(inside).get("chat_template")
    if isinstance(template, str):
        (directory / TEMPLATE).write_text(template, encoding="utf-8")


def _open(directory: Path, root: bytes) -> ModelFiles:
    config = read_config(directory)
    files = TensorFiles(directory)
    expected = expected_shapes(config)
    for name, shape in expected.items():
        found = files.infos.get(name)
        if found is None or found.shape != shape or found.dtype not in DTYPES:
            said = "missing" if found is None else f"{found.dtype} {list(found.shape)}"
            raise UnsupportedModelError(
                f"{directory}: tensor {name} is {said}; needed: {', '.join(DTYPES)} {list(shape)}"
            )
    for name in files.infos.keys() - expected.keys():
        if not _SUPERFLUOUS.fullmatch(name):
            raise UnsupportedModelError(f"{directory}: tensor {name} has no place in such a model")
    return ModelFiles(directory, config, files, root)


def read_config(directory: Path) -> ModelConfig:
    """Read and check `config.json`. Raises `UnsupportedModelError`."""
    return parse_config(_json(directory / CONFIG), directory)


def _weights_root(files: ModelFiles) -> bytes:
    return proof.weights_root(list(_entries(files)))


def _entries(files: ModelFiles) -> Iterator[WeightEntry]:
    for name in sorted(files.tensors):
        info = files.tensors[name]
        digest = hashlib.blake2b(files.files.raw(name).data, digest_size=32).digest()
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
        sound = (
            set(manifest["files"]) == set(_sealed(directory))
            and len(bytes.fromhex(manifest["weights_root"])) == 32
        )
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
    files = _open(directory, b"")
    root = _weights_root(files)
    if root.hex() != manifest["weights_root"]:
        raise TamperedModelError(
            f"{directory}: weights root {root.hex()}, sealed as {manifest['weights_root']}"
        )
    files.files.check_finite()


def _state(directory: Path) -> dict[str, list[int]]:
    stats = {name: (directory / name).stat() for name in (*_sealed(directory), MANIFEST)}
    return {
        name: [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for name, stat in stats.items()
    }


def _remembered(directory: Path) -> bool:
    try:
        return bool(json.loads((directory / _REMEMBERED).read_bytes()) == _state(directory))
    except (OSError, ValueError, ModelError):  # no note, or a damaged one: check again
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
