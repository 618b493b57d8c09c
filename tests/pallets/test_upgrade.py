"""A chain that is upgraded under a running client: from this project's runtime of before reviews to the committed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmnet.chain import Client, IncompatibleRuntime, Keypair
from llmnet.devnode import Node, NodeConfig, Seal, read_code, serve
from llmnet.pallets import spot_checks, staking
from llmnet.pallets._generated.apis import core
from llmnet.pallets._generated.sudo import calls as sudo
from llmnet.pallets._generated.system import calls as system
from llmnet.pallets._generated.system import storage as system_storage
from llmnet.pallets._generated.types import Weight
from llmnet.pallets.staking import StakeRole

from .conftest import WASM

EARLIER = Path(__file__).parents[1] / "devnode" / "data" / "earlier_runtime.compact.compressed.wasm"
ALICE, WORKER = Keypair.from_uri("//Alice"), Keypair.from_uri("//Worker1")
UNIT = 10**12


async def test_a_client_goes_on_over_an_upgrade(
    wasm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    node = Node.from_preset(EARLIER, config=NodeConfig(cache_dir=wasm_cache))
    async with (
        serve(node, seal=Seal("instant")) as server,
        Client.connect(server.url, cache_dir=tmp_path / "metadata", poll=0.05) as client,
    ):
        await client.submit(staking.bond(StakeRole.WORKER, 150 * UNIT), WORKER, timeout=20)
        before = client.at()
        assert await staking.bond_of(before, WORKER.public) is not None
        with pytest.raises(
            IncompatibleRuntime, match=r"SpotChecks\.slashing_frozen .*: the runtime has none"
        ):
            await spot_checks.slashing_frozen(before)
        with pytest.raises(IncompatibleRuntime, match="Reason has changed: gone OVERTURNED, PLANTED"):
            await spot_checks.audit(before, 0)

        upgrade = sudo.sudo_unchecked_weight(system.set_code(read_code(WASM)), Weight(0, 0))
        result = await client.submit(upgrade, ALICE, timeout=30)
        assert result.find("System", "CodeUpdated") is not None
        await client.submit(staking.bond_extra(UNIT), WORKER, timeout=20)

        after = client.at()
        upgraded = node.version().spec_version
        assert (await core.version(after)).spec_version == client.runtime_version.spec_version == upgraded > 1
        assert await spot_checks.slashing_frozen(after) is False
        assert await spot_checks.audit(after, 0) is None
        bond = await after.get(staking.storage.Bonds, WORKER.public)
        assert bond is not None and bond.stake == 151 * UNIT
        events = await after.typed_events(staking.events.BondedExtra)
        assert [found.event.amount for found in events] == [UNIT]
        account, number = await after.read(
            system_storage.Account.at(WORKER.public), system_storage.Number.at()
        )
        assert account.nonce == 2 and number == (await after.header()).number
        assert (await before.runtime()).version.spec_version == 1
