"""Makes blocks as fast as it can and says which are final, until it is killed.

    python -m tests.devnode.crash_child SPEC BASE_PATH KEEP TRANSFERS CACHE

TRANSFERS holds signed transfers of one account, one a line in hex, by nonce. KEEP is a number or "archive".
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from llmnet.devnode import ChainSpec, Node, NodeConfig
from llmnet.devnode.hashing import blake2_128, twox_128

ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
ACCOUNT = twox_128(b"System") + twox_128(b"Account") + blake2_128(ALICE) + ALICE
TRANSFERS_A_BLOCK = 5


def main() -> None:
    spec, base, keep, transfers, cache = sys.argv[1:]
    kept = None if keep == "archive" else int(keep)
    config = NodeConfig(base_path=Path(base), keep_states=kept, cache_dir=Path(cache))
    signed = [bytes.fromhex(line) for line in Path(transfers).read_text().split()]
    node = Node(ChainSpec.read(Path(spec)), config)
    while True:
        account = node.storage(ACCOUNT) or bytes(4)
        nonce = int.from_bytes(account[:4], "little")
        node.produce_block(signed[nonce : nonce + TRANSFERS_A_BLOCK])
        final = node.finalized
        os.write(1, f"{final.number} {final.hash.hex()}\n".encode())


if __name__ == "__main__":
    main()
