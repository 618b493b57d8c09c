"""The typed face of our pallets: one module per pallet, same names as `runtime_spec/pallets/`.

Functions without a view build a `Call` to submit; functions with a `View` read the chain at its block.

    from llmnet.pallets import sessions
    result = await client.submit(sessions.top_up(7, 10**12), signer)
    session = await sessions.session(client.at(None), 7)
    bond = await client.at(None).get(staking.storage.Bonds, account)

They stand on `_generated`, which `python -m llmnet.pallets.generate` writes from the runtime's metadata. The pallets of the
framework (`balances`, `proxy`, `sudo`, `system`, `utility`) are imported where they are wanted: `from llmnet.pallets import sudo`.
"""

from . import beacon, registry, reputation, sessions, spot_checks, staking

__all__ = ["beacon", "registry", "reputation", "sessions", "spot_checks", "staking"]
