"""What has to be true on chain before a worker can sell: a bond, the spec, an offer."""

from __future__ import annotations

import logging

from llmnet.chain import Client, Signer
from llmnet.pallets import registry, staking
from llmnet.pallets.registry import Offer
from llmnet.pallets.staking import StakeRole
from llmnet.proof import ServiceSpec

from .config import UNIT, WorkerConfig
from .errors import SetupError

log = logging.getLogger(__name__)


async def prepare(
    config: WorkerConfig, client: Client, signer: Signer, spec: ServiceSpec, policy_digest: bytes
) -> None:
    """Bond, register and offer what is missing. Raises SetupError that says what to do, or what the chain says."""
    await ensure_bond(client, signer, StakeRole.WORKER, config.bond)
    await _ensure_spec(config, client, signer, spec)
    await _ensure_offer(config, client, signer, spec, policy_digest)


async def ensure_bond(client: Client, signer: Signer, role: StakeRole, amount: int | None) -> None:
    """Make sure that the account is bonded in `role`; bond `amount` plancks if it is not bonded at all."""
    bond = await staking.bond_of(client.at(), signer.public)
    if bond is None:
        if amount is None:
            raise SetupError(
                f"this account is not bonded as {role.name.lower()}: pass --bond AMOUNT, or run `llmnet bond`"
            )
        await client.submit(staking.bond(role, amount), signer)
        log.info("bonded %s tokens as %s", amount / UNIT, role.name.lower())
    elif bond.removed:
        raise SetupError("this account was slashed and removed, it cannot work again: use another account")
    elif bond.role != role:
        raise SetupError(
            f"this account is bonded as {bond.role.name.lower()}, not as {role.name.lower()}: use another account"
        )
    elif bond.unbonding_at is not None:
        raise SetupError(
            f"this account is unbonding until block {bond.unbonding_at}: withdraw then and bond again"
        )


async def _ensure_spec(config: WorkerConfig, client: Client, signer: Signer, spec: ServiceSpec) -> None:
    if await registry.spec(client.at(), spec.id) is not None:
        return
    if not config.register_spec:
        raise SetupError(
            f"spec {spec.id.hex()} ({spec.name.decode(errors='replace')}) is not registered: "
            "pass --register-spec to register it, or serve a registered model"
        )
    await client.submit(registry.register_spec(spec), signer)
    log.info("registered spec %s", spec.id.hex())


async def _ensure_offer(
    config: WorkerConfig, client: Client, signer: Signer, spec: ServiceSpec, policy_digest: bytes
) -> None:
    current = await registry.offer(client.at(), spec.id, signer.public)
    if current is not None and _same(current, config, policy_digest):
        return
    call = registry.put_offer(
        spec.id,
        endpoint=config.endpoint,
        price_in=config.price_in,
        price_out=config.price_out,
        domains=config.domains,
        policy_digest=policy_digest,
        capacity=config.capacity,
    )
    await client.submit(call, signer)
    log.info("offering %s at %s", spec.name.decode(errors="replace"), config.endpoint)


def _same(offer: Offer, config: WorkerConfig, policy_digest: bytes) -> bool:
    return (
        offer.endpoint,
        offer.price_in,
        offer.price_out,
        offer.domains,
        offer.policy_digest,
        offer.capacity,
    ) == (
        config.endpoint,
        config.price_in,
        config.price_out,
        config.domains,
        policy_digest,
        config.capacity,
    )
