"""What has to be true on chain before a worker can sell: a bond, the spec, an offer."""

from __future__ import annotations

import logging

from llmnet.chain import Client, Signer
from llmnet.pallets import registry, staking
from llmnet.pallets.registry import Offer
from llmnet.pallets.staking import BondError, StakeRole
from llmnet.proof import ServiceSpec

from .config import WorkerConfig
from .errors import SetupError

log = logging.getLogger(__name__)


async def prepare(
    config: WorkerConfig, client: Client, signer: Signer, spec: ServiceSpec, policy_digest: bytes
) -> None:
    """Bond, register and offer what is missing. Raises SetupError that says what to do, or what the chain says."""
    try:
        await staking.ensure_bond(client, signer, StakeRole.WORKER, config.bond)
    except BondError as error:
        raise SetupError(str(error)) from None
    await _ensure_spec(config, client, signer, spec)
    await _ensure_offer(config, client, signer, spec, policy_digest)


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
