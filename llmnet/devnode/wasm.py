"""The WASM engine of the process and the cache of compiled modules."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

import wasmtime
import zstandard

from llmnet.devnode.errors import InvalidRuntime

TICK_SECONDS = 0.1
MAX_CODE_BYTES = 50 * 1024 * 1024
_COMPRESSED = bytes.fromhex("52bc537646db8e05")
_WASM_MAGIC = b"\0asm"
# Part of the cache key: change it whenever `_config` changes.
_CONFIG_ID = "epoch-static-memory-2"

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_engine: wasmtime.Engine | None = None


def _config() -> wasmtime.Config:
    config = wasmtime.Config()
    config.cranelift_opt_level = "speed"
    config.epoch_interruption = True
    # The host keeps the base address of a memory for a whole call.
    config.memory_may_move = False
    return config


def engine() -> wasmtime.Engine:
    """The one engine of this process; its epoch advances every TICK_SECONDS."""
    global _engine
    with _lock:
        if _engine is None:
            _engine = wasmtime.Engine(_config())
            threading.Thread(target=_tick, args=(_engine,), name="wasm-epoch", daemon=True).start()
        return _engine


def _tick(ticked: wasmtime.Engine) -> None:
    pause = threading.Event()
    while not pause.wait(TICK_SECONDS):
        ticked.increment_epoch()


def plain_code(code: bytes) -> bytes:
    """The WASM bytes of a runtime blob, decompressed where it carries Substrate's zstd prefix.

    Raises InvalidRuntime for anything else, and for more than MAX_CODE_BYTES.
    """
    if code.startswith(_COMPRESSED):
        try:
            with zstandard.ZstdDecompressor().stream_reader(code[len(_COMPRESSED) :]) as stream:
                code = stream.read(MAX_CODE_BYTES + 1)
        except zstandard.ZstdError as error:
            raise InvalidRuntime(f"the compressed runtime is damaged: {error}") from None
    if not code.startswith(_WASM_MAGIC):
        raise InvalidRuntime(
            "the runtime code is no WASM module (give a .wasm or .compact.compressed.wasm file)"
        )
    if len(code) > MAX_CODE_BYTES:
        raise InvalidRuntime(f"the runtime code has more than {MAX_CODE_BYTES} bytes")
    return code


def compile_module(code: bytes, cache_dir: Path | None) -> wasmtime.Module:
    """Compiles a runtime blob, or takes the compiled form from `cache_dir` (None: no cache).

    A compiled module is machine code: the directory must be writable only by its owner.
    """
    plain = plain_code(code)
    path = None if cache_dir is None else cache_dir / (_cache_key(plain) + ".cwasm")
    if path is not None and path.exists():
        try:
            return wasmtime.Module.deserialize_file(engine(), str(path))
        except wasmtime.WasmtimeError as error:
            _log.warning("compiled module %s cannot be used and is made again: %s", path, error)
    try:
        module = wasmtime.Module(engine(), plain)
    except wasmtime.WasmtimeError as error:
        raise InvalidRuntime(f"the runtime code does not compile: {error}") from None
    if path is not None:
        _write_atomically(path, bytes(module.serialize()))
    return module


def _cache_key(plain: bytes) -> str:
    label = f"{version('wasmtime')}/{_CONFIG_ID}".encode()
    return hashlib.blake2b(plain, digest_size=16, key=hashlib.blake2b(label).digest()[:32]).hexdigest()


def _write_atomically(path: Path, data: bytes) -> None:
    """Writes the cache file; a directory that cannot be written only costs the next start some time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError as error:
        _log.warning("the compiled module is not kept (%s)", error)
