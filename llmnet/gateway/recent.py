"""What the last blocks say about an account's money: fines, slashes, jackpots, bonds, verdicts taken back."""

from __future__ import annotations

from llmnet.chain import ChainError, Client

from .explain import Facts, concerns, moved


async def recent(client: Client, who: bytes, blocks: int) -> list[Facts]:
    """The account's events in the last `blocks` blocks, oldest first; fewer if the node has dropped older states."""
    head = (await client.head()).number
    found: list[Facts] = []
    for number in range(head, max(head - blocks, 0), -1):
        block_hash = await client.block_hash(number)
        if block_hash is None:
            continue
        try:
            events = await client.at(block_hash).events()
        except ChainError:
            break
        found = [moved(event) for event in events if concerns(event, {who}, None)] + found
    return found
