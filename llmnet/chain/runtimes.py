"""Runtimes by version: fetched once, parsed once, kept in memory and (as raw metadata) on disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

import platformdirs

from llmnet.chain.errors import MetadataError, MethodNotFound, RpcError
from llmnet.chain.metadata_reader import SUPPORTED, parse_metadata
from llmnet.chain.results import RuntimeVersion
from llmnet.chain.rpc import Rpc
from llmnet.chain.runtime import Runtime
from llmnet.chain.scale import Reader

K = TypeVar("K")
V = TypeVar("V")
log = logging.getLogger(__name__)
CODE_KEY = b":code"
MAX_RUNTIMES, MAX_BLOCKS = 8, 512


def default_cache_dir() -> Path:
    return Path(platformdirs.user_cache_dir("llmnet")) / "metadata"


class Runtimes:
    """Which runtime a block's state was written by.

    cache_dir: where raw metadata is kept by code hash; None keeps nothing on disk."""

    def __init__(self, rpc: Rpc, cache_dir: Path | None) -> None:
        self._rpc, self._cache_dir = rpc, cache_dir
        self._by_version: OrderedDict[RuntimeVersion, Runtime] = OrderedDict()
        self._by_block: OrderedDict[bytes, Runtime] = OrderedDict()
        self._lock = asyncio.Lock()
        self._latest: Runtime | None = None

    @property
    def latest(self) -> Runtime:
        """The newest runtime (by spec version) met so far."""
        if self._latest is None:
            raise MetadataError("no runtime was read yet")
        return self._latest

    async def at(self, block_hash: bytes) -> Runtime:
        """The runtime in the state after a block: it executes the next block and serves runtime calls at this
        one."""
        known = self._by_block.get(block_hash)
        if known is not None:
            return known
        version = await self._rpc.runtime_version(block_hash)
        async with self._lock:  # several tasks meet a new version at once: one fetches
            runtime = self._by_version.get(version)
            if runtime is None:
                runtime = Runtime(parse_metadata(await self._metadata(block_hash)), version)
                log.info("runtime %s version %d, metadata V%d", *version_words(runtime))
            _keep(self._by_version, version, runtime, MAX_RUNTIMES)
        if self._latest is None or version.spec_version >= self._latest.version.spec_version:
            self._latest = runtime
        _keep(self._by_block, block_hash, runtime, MAX_BLOCKS)
        return runtime

    async def _metadata(self, at: bytes) -> bytes:
        code = await self._code_hash(at)
        path = None if code is None or self._cache_dir is None else self._cache_dir / f"{code.hex()}.scale"
        if path is not None:
            cached = await asyncio.to_thread(read_cached, path)
            if cached is not None:
                return cached
        data = await self._fetch(at)
        if path is not None:
            await asyncio.to_thread(write_cached, path, data)
        return data

    async def _code_hash(self, at: bytes) -> bytes | None:
        try:
            return await self._rpc.storage_hash(CODE_KEY, at)
        except RpcError as error:
            log.info("no metadata cache, the node does not tell the code's hash: %s", error)
            return None

    async def _fetch(self, at: bytes) -> bytes:
        """The newest metadata version that both sides know."""
        try:
            versions = Reader(await self._rpc.call("Metadata_metadata_versions", b"", at))
            offered = set(versions.vec(versions.u32))
        except RpcError as error:
            if isinstance(error, MethodNotFound):
                raise
            return await self._rpc.metadata(at)  # a runtime from before V15 has no such API
        for version in SUPPORTED:
            if version in offered:
                argument = version.to_bytes(4, "little")
                reader = Reader(await self._rpc.call("Metadata_metadata_at_version", argument, at))
                data = reader.option(reader.bytes)
                if data is not None:
                    return data
        raise MetadataError(f"the runtime offers metadata {sorted(offered)}, none of {SUPPORTED}")


def version_words(runtime: Runtime) -> tuple[str, int, int]:
    return runtime.version.spec_name, runtime.version.spec_version, runtime.metadata.version


def read_cached(path: Path) -> bytes | None:
    """The cached metadata, or None if there is none or it is damaged (the first 32 bytes are its hash)."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    digest, data = raw[:32], raw[32:]
    if hashlib.blake2b(data, digest_size=32).digest() != digest:
        log.warning("ignored a damaged metadata cache file %s", path)
        return None
    return data


def write_cached(path: Path, data: bytes) -> None:
    """Atomic; a cache that cannot be written is only reported."""
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.blake2b(data, digest_size=32).digest() + data)
        temporary.replace(path)
    except OSError as error:
        log.warning("metadata is not cached: %s", error)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _keep(table: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > limit:
        table.popitem(last=False)
