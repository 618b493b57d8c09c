"""A hot key that acts for a cold account: the pallet `Proxy`.

daemon = Delegate(hot, owner.account)          # a Signer: its account is the owner's
await client.submit(call, daemon)              # sent and paid for by the hot key, carried out as the owner
"""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain.curves import Scheme
from llmnet.chain.errors import KeyFormatError
from llmnet.chain.extrinsic import Signer
from llmnet.chain.ss58 import ss58_encode
from llmnet.chain.values import Call, Variant
from llmnet.chain.view import View


@dataclass(frozen=True, slots=True)
class Delegate:
    """Signs transactions of `owner` with another account's key, which the owner has named as its proxy.

    kind: the runtime uses the proxy of this type (`Any`, `NonTransfer`, …); without one, the first that allows the call.
    Fees are the hot account's. Messages beside the chain are not signed: nobody could tell that the owner meant them."""

    hot: Signer
    owner: bytes
    kind: str | None = None

    @property
    def public(self) -> bytes:
        return self.hot.public

    @property
    def account(self) -> bytes:
        return self.owner

    @property
    def scheme(self) -> Scheme:
        return self.hot.scheme

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the form of a Signer
        """Raises KeyFormatError, always."""
        raise KeyFormatError(
            f"a proxy cannot sign messages in the name of {ss58_encode(self.owner)}, only send its transactions: "
            "use the account's own key for this"
        )

    def wrap(self, call: Call) -> Call:
        kind = None if self.kind is None else Variant(self.kind)
        return Call("Proxy", "proxy", {"real": self.owner, "force_proxy_type": kind, "call": call})


def own_key(signer: Signer) -> Signer:
    """The key itself: what signs messages, in its own account's name."""
    while isinstance(signer, Delegate):
        signer = signer.hot
    return signer


@dataclass(frozen=True, slots=True)
class Proxy:
    """`delegate` may act for the account within what `kind` allows, announced `delay` blocks ahead (0: at once)."""

    delegate: bytes
    kind: str
    delay: int


def add_proxy(delegate: bytes, kind: str = "Any", delay: int = 0) -> Call:
    """To be sent by the owner, who puts down a deposit for it."""
    return Call("Proxy", "add_proxy", _arguments(delegate, kind, delay))


def remove_proxy(delegate: bytes, kind: str = "Any", delay: int = 0) -> Call:
    """To be sent by the owner, with what the proxy was added with."""
    return Call("Proxy", "remove_proxy", _arguments(delegate, kind, delay))


def remove_proxies() -> Call:
    """Of all proxies of the sender: what to send when a hot key was lost."""
    return Call("Proxy", "remove_proxies", {})


async def proxies_of(view: View, owner: bytes) -> tuple[list[Proxy], int]:
    """The account's proxies, and the deposit held for them in plancks. None on a chain without the pallet."""
    if "Proxy" not in (await view.runtime()).metadata.pallets:
        return [], 0
    listed, deposit = await view.query("Proxy", "Proxies", owner)
    found = [Proxy(item["delegate"], item["proxy_type"].name, item["delay"]) for item in listed]
    return found, int(deposit)


def _arguments(delegate: bytes, kind: str, delay: int) -> dict[str, object]:
    return {"delegate": delegate, "proxy_type": Variant(kind), "delay": delay}
