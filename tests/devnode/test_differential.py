"""polkadot-sdk's own node and ours on the same chain: same genesis, same verdicts, same blocks, same state.

The short form of `python -m tests.devnode.differential`; LLMNET_DIFFERENTIAL_CALLS makes it longer and
LLMNET_DIFFERENTIAL_SEED another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmnet.devnode import Block, BlockRefused, ChainSpec, Runtime
from llmnet.devnode.hashing import twox_128
from llmnet.devnode.overlay import Overlay

from .differential import Comparison, DifferenceError
from .peer import Rpc, available, polkadot_node, write_spec
from .raw_signer import account
from .support import UNIT

CALLS = int(os.environ.get("LLMNET_DIFFERENTIAL_CALLS", "60"))
SEED = int(os.environ.get("LLMNET_DIFFERENTIAL_SEED", "1"))
pytestmark = pytest.mark.skipif(not available(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node")


@pytest.fixture(scope="module")
def peer(spec: ChainSpec, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    folder = tmp_path_factory.mktemp("peer")
    path = write_spec(spec, Runtime(spec.code, cache_dir=cache_dir), folder / "spec.json")
    with polkadot_node(path, "--instant-seal") as rpc:
        yield rpc


@pytest.fixture
def comparison(peer: Rpc, spec: ChainSpec, cache_dir: Path) -> Iterator[Comparison]:
    """Our nodes, with all blocks that the other one has made so far."""
    made = Comparison(peer, spec, SEED, cache_dir)
    try:
        made.follow_all()
        yield made
    finally:
        made.close()


def test_random_calls_have_the_same_outcome(comparison: Comparison) -> None:
    tally = comparison.run(CALLS)
    assert tally.submitted >= CALLS
    assert tally.blocks > CALLS // 3
    assert min(tally.outcomes.values()) > 0


def test_a_forged_block_of_the_other_node_is_refused(comparison: Comparison) -> None:
    number = comparison.importer.best.number + 1
    nonce = comparison.importer.account_nonce(account("//Alice"))
    signed = comparison.keys.transfer("//Alice", "//Bob", UNIT, nonce)
    comparison.peer("author_submitExtrinsic", "0x" + signed.hex())
    comparison.peer.wait_for(number)
    block = comparison.peer.block(number)
    with pytest.raises(BlockRefused):
        comparison.importer.import_block(Block(block.header, block.body[:1]))
    comparison.importer.import_block(block)


def test_a_difference_is_noticed(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison must fail when one of our nodes does something else."""
    written = Overlay.put
    accounts = twox_128(b"System") + twox_128(b"Account")

    def forgetful(overlay: Overlay, key: bytes, value: bytes | None, child: bytes | None = None) -> None:
        if not key.startswith(accounts):
            written(overlay, key, value, child)

    monkeypatch.setattr(Overlay, "put", forgetful)
    with pytest.raises((DifferenceError, BlockRefused)):
        comparison.run(20)
