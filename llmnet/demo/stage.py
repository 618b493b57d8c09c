"""Sets the stage: a fresh chain with the spec, its calibration, and every answer audited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llmnet.chain import Call, ChainError, Client, Keypair
from llmnet.pallets import registry, spot_checks, staking, sudo, utility
from llmnet.proof import ServiceSpec
from llmnet.verifier.calibrate import floor_calibration, measured_row

from .cast import SUDO, VALIDATORS, Player
from .processes import Troupe

POLL_SECONDS = 0.5
START_SECONDS = 150.0
ALWAYS = 1_000_000


class StageError(RuntimeError):
    """The stage could not be set; the message says what did not happen."""


def key(name: str) -> Keypair:
    """A development account's key pair."""
    return Keypair.from_uri(f"//{name}")


async def connect(url: str, troupe: Troupe) -> None:
    """Wait until the node answers. Raises StageError, DaemonDied."""
    reason: Exception | str = "no block yet"
    for _ in range(int(START_SECONDS / POLL_SECONDS)):
        troupe.check()
        try:
            async with Client.connect(url) as client:
                if (await client.head()).number > 0:
                    return
        except (ChainError, OSError) as error:
            reason = error
        await asyncio.sleep(POLL_SECONDS)
    raise StageError(f"the node at {url} does not answer: {reason}")


async def set_stage(client: Client, spec: ServiceSpec) -> None:
    """Register the spec, its thresholds, and the audit of every answer, in one transaction of the sudo account."""
    calls: list[Call] = [
        registry.register_spec(spec),
        sudo.sudo(
            registry.set_calibration(spec.id, measured_row(spec.id) or floor_calibration(spec.numerics))
        ),
        sudo.sudo(spot_checks.set_audit_floor(ALWAYS)),
    ]
    await client.submit(utility.batch_all(calls), key(SUDO))


async def wait_for_cast(client: Client, spec: ServiceSpec, players: Sequence[Player], troupe: Troupe) -> None:
    """Wait until every validator is bonded and every worker has an offer."""
    waiting: list[str] = []
    for _ in range(int(START_SECONDS / POLL_SECONDS)):
        troupe.check()
        view = client.at()
        offers = await registry.offers(view, spec.id)
        bonded = {who for who, _ in await staking.validators(view)}
        waiting = [player.name for player in players if key(player.name).public not in offers]
        waiting += [name for name in VALIDATORS if key(name).public not in bonded]
        if not waiting:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise StageError(f"these did not start: {', '.join(waiting)}")
