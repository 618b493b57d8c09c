"""Weights of the pallets, measured where they run: the committed WASM in `llmnet.devnode`'s executor.

Each case is a call or a piece of a block's own work in its worst state, written straight into storage. Measured are its time,
the keys that it reads and writes beyond those of an empty transaction, and the size of the proof of what it reads.
`python -m bench.weights` measures all and writes `weights.rs` of every pallet; docs/decisions/050-measured-weights.md says why so.
"""
