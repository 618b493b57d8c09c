"""Why a host function is not there, for those that runtimes are known to import."""

from __future__ import annotations

_REASONS = (
    (
        "ext_benchmarking_",
        "the runtime was built with the feature runtime-benchmarks; give one that was built without it",
    ),
    ("ext_sandbox_", "nodes dropped it in 2022; only runtimes of before then need it, to execute contracts"),
    ("ext_crypto_bls381_", "it belongs to experimental keys that no released node keeps"),
    ("ext_crypto_ecdsa_bls381_", "it belongs to experimental keys that no released node keeps"),
    ("ext_crypto_bandersnatch_", "it belongs to experimental keys that no released node keeps"),
    (
        "ext_host_calls_",
        "it belongs to the elliptic curve extensions of the host, which are no part of its interface",
    ),
    ("ext_statement_store_", "this node has no statement store"),
)


def why_missing(name: str) -> str:
    """An explanation to put behind the name of a missing function, empty if none is known."""
    return next((f": {reason}" for prefix, reason in _REASONS if name.startswith(prefix)), "")
