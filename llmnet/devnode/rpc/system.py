"""Methods `system_*` and `rpc_methods`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from llmnet.devnode.errors import AuthoringError, CodecError, RuntimeFault
from llmnet.devnode.rpc.errors import DISPATCH_RUNTIME, INTERNAL, INVALID_PARAMS, RpcError
from llmnet.devnode.rpc.registry import METHODS, Context, hex_of, method, parse_bytes, parse_hash, parse_text
from llmnet.devnode.ss58 import decode_account

NAME = "LLM-Net development node"


@method("rpc_methods")
async def rpc_methods(_context: Context) -> Any:
    return {"methods": sorted(METHODS)}


@method("system_name")
async def name(_context: Context) -> Any:
    return NAME


@method("system_version")
async def node_version(_context: Context) -> Any:
    try:
        return version("llmnet")
    except PackageNotFoundError:
        return "0"


@method("system_chain")
async def chain(context: Context) -> Any:
    return context.service.node.spec.name


@method("system_chainType")
async def chain_type(context: Context) -> Any:
    return context.service.node.spec.chain_type


@method("system_properties")
async def properties(context: Context) -> Any:
    return dict(context.service.node.spec.properties)


@method("system_health")
async def health(_context: Context) -> Any:
    return {"peers": 0, "isSyncing": False, "shouldHavePeers": False}


@method("system_peers", unsafe=True)
async def peers(_context: Context) -> Any:
    return []


@method("system_reservedPeers")
async def reserved_peers(_context: Context) -> Any:
    return []


@method("system_localListenAddresses")
async def local_listen_addresses(_context: Context) -> Any:
    """None: the node speaks to clients only, not to other nodes."""
    return []


@method(
    "system_localPeerId",
    "system_unstable_networkState",
    "system_addReservedPeer",
    "system_removeReservedPeer",
    unsafe=True,
)
async def network(_context: Context, _peer: Any = None) -> Any:
    raise RpcError(INTERNAL, "this node has no network: it speaks to clients only")


@method("system_nodeRoles")
async def node_roles(_context: Context) -> Any:
    return ["Authority"]


@method("system_syncState")
async def sync_state(context: Context) -> Any:
    number = context.service.node.best.number
    return {"startingBlock": 0, "currentBlock": number, "highestBlock": number}


@method("system_accountNextIndex", "account_nextIndex")
async def account_next_index(context: Context, account: Any) -> Any:
    text = parse_text(account, "account")
    try:
        account_id = parse_bytes(text, "account") if text.startswith("0x") else decode_account(text)
    except CodecError as error:
        raise RpcError(INVALID_PARAMS, "Invalid params", str(error)) from None
    return await context.service.run(context.service.node.account_nonce, account_id)


@method("system_dryRun", "system_dryRunAt", unsafe=True)
async def dry_run(context: Context, extrinsic: Any, at: Any = None) -> Any:
    data, block = parse_bytes(extrinsic, "extrinsic"), parse_hash(at)
    try:
        return hex_of(await context.service.run(context.service.node.dry_run, data, block))
    except (AuthoringError, RuntimeFault) as error:
        raise RpcError(DISPATCH_RUNTIME, "Unable to dry run extrinsic.", str(error)) from error
