"""`llmnet bond`, `llmnet unbond`, `llmnet withdraw`, `llmnet withdraw-offer`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .config import ConfigError
from .output import emit, say
from .values import parse_amount, parse_spec_id

if TYPE_CHECKING:
    from llmnet.chain import Call, View


class RoleName(StrEnum):
    """What a bonded account does."""

    WORKER = "worker"
    VALIDATOR = "validator"


def add(app: typer.Typer) -> None:
    """Registers the commands."""

    @command(app, "bond", help="Put a stake at risk and become a worker or validator, or add to the stake.")
    async def bond(
        context: Context,
        amount: Annotated[str, typer.Argument(metavar="TOKENS", help="How much.")],
        role: Annotated[
            RoleName, typer.Option(help="What to become; an existing role stays.")
        ] = RoleName.WORKER,
    ) -> None:
        from llmnet.pallets import staking

        plancks, signer = parse_amount(amount), context.signer()
        async with context.client() as client:
            current = await staking.bond_of(client.at(), signer.account)
            if current is not None and not current.removed and current.unbonding_at is None:
                call = staking.bond_extra(plancks)
                text = f"added {amount} tokens to the stake as {current.role.name.lower()}"
            else:
                call = staking.bond(staking.StakeRole[role.name], plancks)
                text = f"bonded {amount} tokens as {role.value}"
            await submit(context, client, call, text)

    @command(app, "unbond", help="Stop working or validating; the stake can be withdrawn some time later.")
    async def unbond(context: Context) -> None:
        from llmnet.pallets import staking

        signer = context.signer()
        async with context.client() as client:
            result = await client.submit(staking.unbond(), signer)
            event = result.find(staking.events.Unbonding)
            until = "later" if event is None else f"from block {event.until}"
            _done(context, result.block_number, f"unbonding; `llmnet withdraw` frees the stake {until}")

    @command(app, "withdraw", help="Take the stake back after the unbonding period.")
    async def withdraw(context: Context) -> None:
        from llmnet.gateway.amounts import tokens
        from llmnet.pallets import staking

        signer = context.signer()
        async with context.client() as client:
            result = await client.submit(staking.withdraw(), signer)
            event = result.find(staking.events.Withdrawn)
            amount = "the stake" if event is None else f"{tokens(event.amount)} tokens"
            _done(context, result.block_number, f"withdrew {amount}")

    @command(app, "withdraw-offer", help="Stop offering a model; sessions that are open go on.")
    async def withdraw_offer(
        context: Context,
        spec: Annotated[
            str | None, typer.Argument(metavar="[SPEC_ID]", help="By default the account's only offer.")
        ] = None,
    ) -> None:
        from llmnet.pallets import registry

        signer, given = context.signer(), None if spec is None else parse_spec_id(spec)
        async with context.client() as client:
            spec_id = await only_offer(client.at(), signer.account) if given is None else given
            text = f"withdrew the offer of spec {spec_id.hex()}"
            await submit(context, client, registry.withdraw_offer(spec_id), text)


async def only_offer(view: View, worker: bytes) -> bytes:
    """The spec that the account offers. Raises ConfigError unless it is one."""
    from llmnet.pallets import registry

    offered = await view.get(registry.storage.OffersOf, worker)
    if not offered:
        raise ConfigError("this account offers nothing")
    if len(offered) > 1:
        raise ConfigError(f"say which offer: {', '.join(spec_id.hex() for spec_id in offered)}")
    return offered[0]


async def submit(context: Context, client: object, call: Call, text: str) -> None:
    """Submit a call of the acting account and say that it is done. Raises DispatchFailed with the chain's reason."""
    from llmnet.chain import Client

    assert isinstance(client, Client)
    result = await client.submit(call, context.signer())
    _done(context, result.block_number, text)


def _done(context: Context, block: int, text: str) -> None:
    if context.json:
        emit({"done": text, "block": block})
    else:
        say(f"{text} (block {block})")
