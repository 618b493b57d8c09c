"""The numeric policy of the CPU kernels: what decides their bits, in the form in which a worker publishes it.

No processor and no compiler version is in it, because neither changes a bit: what does is the kernels' source alone.
"""

from __future__ import annotations

import json

from llmnet.engine.cpu.kernels import source_digest
from llmnet.engine.cpu.lanes import LANES
from llmnet.engine.cpu.objects import ObjectStore, source_key, user_store
from llmnet.engine.operators import PRECISIONS
from llmnet.kernels.policy import Policy

_HEAD_DIM, _GROUP = 64, 1
"""Every shape of heads comes from the same source; one stands for all."""


def cpu_policy(store: ObjectStore | None = None) -> Policy:
    """The policy, with a digest for each numerics class. Digests are written out once a machine (a second's work)."""
    store, key = store or user_store(), source_key("policy")
    kept = store.get(key)
    digests = _digests() if kept is None else json.loads(kept)
    if kept is None:
        store.put(key, json.dumps(digests).encode())
    return Policy(
        arch="cpu",
        compiler="llvm",
        options={"fast_math": False},
        orders={"lanes": LANES, "head_dim": _HEAD_DIM, "group": _GROUP},
        table="",
        kernels=digests,
    )


def _digests() -> dict[str, str]:
    return {
        numerics.name.lower(): source_digest(precision.weights, precision.residual, _HEAD_DIM, _GROUP).hex()
        for numerics, precision in PRECISIONS.items()
    }
