# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Proxy`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_PROXY = Entry(
    "Proxy",
    "proxy",
    "ada87d1bebdb48c1",
    "real: MultiAddress, force_proxy_type: Option<ProxyType>, call: RuntimeCall",
    t.TYPES,
)


def proxy(real: t.MultiAddress | bytes, force_proxy_type: t.ProxyType | None, call: Call) -> Call:
    """Dispatch the given `call` from an account that the sender is authorised for through `add_proxy`.

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `real`: The account that the proxy will make a call on behalf of.
    - `force_proxy_type`: Specify the exact proxy type to be used and checked for this call.
    - `call`: The call to be made by the `real` account.
    """
    return Call("Proxy", "proxy", {"real": real, "force_proxy_type": force_proxy_type, "call": call}, _PROXY)


_ADD_PROXY = Entry(
    "Proxy",
    "add_proxy",
    "a2e243663b5bf45c",
    "delegate: MultiAddress, proxy_type: ProxyType, delay: u32",
    t.TYPES,
)


def add_proxy(delegate: t.MultiAddress | bytes, proxy_type: t.ProxyType, delay: int) -> Call:
    """Register a proxy account for the sender that is able to make calls on its behalf.

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `proxy`: The account that the `caller` would like to make a proxy.
    - `proxy_type`: The permissions allowed for this proxy account.
    - `delay`: The announcement period required of the initial proxy. Will generally be zero.
    """
    return Call(
        "Proxy", "add_proxy", {"delegate": delegate, "proxy_type": proxy_type, "delay": delay}, _ADD_PROXY
    )


_REMOVE_PROXY = Entry(
    "Proxy",
    "remove_proxy",
    "b0b4cd7aa08eb1c0",
    "delegate: MultiAddress, proxy_type: ProxyType, delay: u32",
    t.TYPES,
)


def remove_proxy(delegate: t.MultiAddress | bytes, proxy_type: t.ProxyType, delay: int) -> Call:
    """Unregister a proxy account for the sender.

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `proxy`: The account that the `caller` would like to remove as a proxy.
    - `proxy_type`: The permissions currently enabled for the removed proxy account.
    """
    return Call(
        "Proxy",
        "remove_proxy",
        {"delegate": delegate, "proxy_type": proxy_type, "delay": delay},
        _REMOVE_PROXY,
    )


_REMOVE_PROXIES = Entry("Proxy", "remove_proxies", "1dab95981745916d", "", t.TYPES)


def remove_proxies() -> Call:
    """Unregister all proxy accounts for the sender.

    The dispatch origin for this call must be _Signed_.

    WARNING: This may be called on accounts created by `create_pure`, however if done, then the
    unreserved fees will be inaccessible. **All access to this account will be lost.**
    """
    return Call("Proxy", "remove_proxies", {}, _REMOVE_PROXIES)


_CREATE_PURE = Entry(
    "Proxy", "create_pure", "9b4e63c715bda88c", "proxy_type: ProxyType, delay: u32, index: u16", t.TYPES
)


def create_pure(proxy_type: t.ProxyType, delay: int, index: int) -> Call:
    """Spawn a fresh new account that is guaranteed to be otherwise inaccessible, and initialize it with a
    proxy of `proxy_type` for `origin` sender.

    Requires a `Signed` origin.

    - `proxy_type`: The type of the proxy that the sender will be registered as over the new account.
      This will almost always be the most permissive `ProxyType` possible to allow for maximum
      flexibility.
    - `index`: A disambiguation index, in case this is called multiple times in the same transaction
      (e.g. with `utility::batch`). Unless you're using `batch` you probably just want to use `0`.
    - `delay`: The announcement period required of the initial proxy. Will generally be zero.

    Fails with `Duplicate` if this has already been called in this transaction, from the same sender,
    with the same parameters.

    Fails if there are insufficient funds to pay for deposit.
    """
    return Call(
        "Proxy", "create_pure", {"proxy_type": proxy_type, "delay": delay, "index": index}, _CREATE_PURE
    )


_KILL_PURE = Entry(
    "Proxy",
    "kill_pure",
    "d8727fd251cfeeb6",
    "spawner: MultiAddress, proxy_type: ProxyType, index: u16, height: Compact<u32>, ext_index: Compact<u32>",
    t.TYPES,
)


def kill_pure(
    spawner: t.MultiAddress | bytes, proxy_type: t.ProxyType, index: int, height: int, ext_index: int
) -> Call:
    """Removes a previously spawned pure proxy.

    WARNING: **All access to this account will be lost.** Any funds held in it will be inaccessible.

    Requires a `Signed` origin, and the sender account must have been created by a call to `create_pure`
    with corresponding parameters.

    - `spawner`: The account that originally called `create_pure` to create this account.
    - `index`: The disambiguation index originally passed to `create_pure`. Probably `0`.
    - `proxy_type`: The proxy type originally passed to `create_pure`.
    - `height`: The height of the chain when the call to `create_pure` was processed.
    - `ext_index`: The extrinsic index in which the call to `create_pure` was processed.

    Fails with `NoPermission` in case the caller is not a previously created pure account whose
    `create_pure` call has corresponding parameters.
    """
    return Call(
        "Proxy",
        "kill_pure",
        {
            "spawner": spawner,
            "proxy_type": proxy_type,
            "index": index,
            "height": height,
            "ext_index": ext_index,
        },
        _KILL_PURE,
    )


_ANNOUNCE = Entry("Proxy", "announce", "2469a7b2d780b979", "real: MultiAddress, call_hash: H256", t.TYPES)


def announce(real: t.MultiAddress | bytes, call_hash: t.H256) -> Call:
    """Publish the hash of a proxy-call that will be made in the future.

    This must be called some number of blocks before the corresponding `proxy` is attempted if the delay
    associated with the proxy relationship is greater than zero.

    No more than `MaxPending` announcements may be made at any one time.

    This will take a deposit of `AnnouncementDepositFactor` as well as `AnnouncementDepositBase` if
    there are no other pending announcements.

    The dispatch origin for this call must be _Signed_ and a proxy of `real`.

    Parameters:
    - `real`: The account that the proxy will make a call on behalf of.
    - `call_hash`: The hash of the call to be made by the `real` account.
    """
    return Call("Proxy", "announce", {"real": real, "call_hash": call_hash}, _ANNOUNCE)


_REMOVE_ANNOUNCEMENT = Entry(
    "Proxy", "remove_announcement", "9442ad0b001b74f2", "real: MultiAddress, call_hash: H256", t.TYPES
)


def remove_announcement(real: t.MultiAddress | bytes, call_hash: t.H256) -> Call:
    """Remove a given announcement.

    May be called by a proxy account to remove a call they previously announced and return the deposit.

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `real`: The account that the proxy will make a call on behalf of.
    - `call_hash`: The hash of the call to be made by the `real` account.
    """
    return Call("Proxy", "remove_announcement", {"real": real, "call_hash": call_hash}, _REMOVE_ANNOUNCEMENT)


_REJECT_ANNOUNCEMENT = Entry(
    "Proxy", "reject_announcement", "3cb262a78f2ef21a", "delegate: MultiAddress, call_hash: H256", t.TYPES
)


def reject_announcement(delegate: t.MultiAddress | bytes, call_hash: t.H256) -> Call:
    """Remove the given announcement of a delegate.

    May be called by a target (proxied) account to remove a call that one of their delegates
    (`delegate`) has announced they want to execute. The deposit is returned.

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `delegate`: The account that previously announced the call.
    - `call_hash`: The hash of the call to be made.
    """
    return Call(
        "Proxy", "reject_announcement", {"delegate": delegate, "call_hash": call_hash}, _REJECT_ANNOUNCEMENT
    )


_PROXY_ANNOUNCED = Entry(
    "Proxy",
    "proxy_announced",
    "ea62d731689c4655",
    "delegate: MultiAddress, real: MultiAddress, force_proxy_type: Option<ProxyType>, call: RuntimeCall",
    t.TYPES,
)


def proxy_announced(
    delegate: t.MultiAddress | bytes,
    real: t.MultiAddress | bytes,
    force_proxy_type: t.ProxyType | None,
    call: Call,
) -> Call:
    """Dispatch the given `call` from an account that the sender is authorized for through `add_proxy`.

    Removes any corresponding announcement(s).

    The dispatch origin for this call must be _Signed_.

    Parameters:
    - `real`: The account that the proxy will make a call on behalf of.
    - `force_proxy_type`: Specify the exact proxy type to be used and checked for this call.
    - `call`: The call to be made by the `real` account.
    """
    return Call(
        "Proxy",
        "proxy_announced",
        {"delegate": delegate, "real": real, "force_proxy_type": force_proxy_type, "call": call},
        _PROXY_ANNOUNCED,
    )


_POKE_DEPOSIT = Entry("Proxy", "poke_deposit", "2d63055f2e2a19dd", "", t.TYPES)


def poke_deposit() -> Call:
    """Poke / Adjust deposits made for proxies and announcements based on current values. This can be used
    by accounts to possibly lower their locked amount.

    The dispatch origin for this call must be _Signed_.

    The transaction fee is waived if the deposit amount has changed.

    Emits `DepositPoked` if successful.
    """
    return Call("Proxy", "poke_deposit", {}, _POKE_DEPOSIT)
