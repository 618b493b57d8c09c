"""Where metadata comes from: a file, a node, or a runtime that a node of our own runs for a moment."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from llmnet.chain import ChainError, Client, Metadata, parse_metadata

from .errors import SourceError

START_SECONDS, STOP_SECONDS = 60.0, 10.0


def from_file(path: Path) -> Metadata:
    """Metadata as the node gives it out (`0x…` or bytes), with or without the length before it. Raises
    SourceError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    if data[:2] == b"0x":
        try:
            data = bytes.fromhex(data[2:].decode().strip())
        except ValueError:
            raise SourceError(f"{path} begins with 0x and is not hexadecimal") from None
    start = data[:16].find(b"meta")
    try:
        return parse_metadata(data[max(start, 0) :])
    except ChainError as error:
        raise SourceError(f"{path}: {error}") from None


async def from_url(url: str) -> Metadata:
    """The newest metadata of the node's best block. Raises SourceError."""
    try:
        with tempfile.TemporaryDirectory(prefix="llmnet-metadata-") as cache:
            async with Client.connect(url, cache_dir=Path(cache)) as client:
                return client.runtime.metadata
    except (ChainError, OSError) as error:
        raise SourceError(f"{url}: {error}") from None


async def from_wasm(path: Path) -> Metadata:
    """The metadata of a runtime's blob: `llmnet-node` starts a chain with it and is asked. Raises SourceError."""
    if not await asyncio.to_thread(path.is_file):
        raise SourceError(f"{path} is not a file")
    command = ["-m", "llmnet.cli.node", "run", "--dev", "--wasm", str(path), "--port", "0", "--json"]
    node = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        return await from_url(await asyncio.wait_for(_address(node), START_SECONDS))
    except TimeoutError:
        raise SourceError(f"no chain started with {path} within {START_SECONDS:.0f} s") from None
    finally:
        await _stop(node)


async def _address(node: asyncio.subprocess.Process) -> str:
    """What the node says first: where it serves."""
    assert node.stdout is not None
    said = []
    while line := (await node.stdout.readline()).decode(errors="replace").strip():
        said.append(line)
        try:
            url = json.loads(line).get("url")
        except (ValueError, AttributeError):
            continue
        if isinstance(url, str):
            return url
    raise SourceError(f"the node did not start: {' '.join(said) or 'it said nothing'}")


async def _stop(node: asyncio.subprocess.Process) -> None:
    if node.returncode is None:
        node.terminate()
    try:
        await asyncio.wait_for(node.wait(), STOP_SECONDS)
    except TimeoutError:
        node.kill()
        await node.wait()
