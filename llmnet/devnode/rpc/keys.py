"""Methods `author_*` about keys: session keys in the node's memory. Blocks are made without them."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.errors import CodecError, RuntimeFault
from llmnet.devnode.keystore import BadSeed, Keystore, Scheme
from llmnet.devnode.rpc.errors import AUTHOR_CLIENT, RpcError
from llmnet.devnode.rpc.registry import Context, hex_of, method, parse_bytes, parse_text
from llmnet.devnode.scale import Reader, option, vec

_SESSION_KEYS_API = bytes.fromhex("ab3c0572291feb8b")
_SCHEMES: tuple[Scheme, ...] = ("sr25519", "ed25519", "ecdsa")


def _key_type(value: Any) -> bytes:
    found = parse_text(value, "key type").encode()
    if len(found) != 4:
        raise RpcError(AUTHOR_CLIENT, "Invalid key type ID format (should be of length four)")
    return found


@method("author_hasKey", unsafe=True)
async def has_key(context: Context, public_key: Any, key_type: Any) -> Any:
    return context.service.node.keystore.has(_key_type(key_type), parse_bytes(public_key, "public key"))


@method("author_hasSessionKeys", unsafe=True)
async def has_session_keys(context: Context, session_keys: Any) -> Any:
    """Whether all of them are there."""
    data = parse_bytes(session_keys, "session keys")
    node = context.service.node
    encoded = await context.service.run(node.call, "SessionKeys_decode_session_keys", vec(data))
    try:
        reader = Reader(encoded)
        if not reader.flag():
            raise RpcError(AUTHOR_CLIENT, "Session keys are not encoded correctly")
        keys = [(reader.vector(), reader.take(4)) for _ in range(reader.count(5))]
    except CodecError as error:
        raise RuntimeFault(f"the runtime's session keys cannot be read: {error}") from error
    return all(node.keystore.has(key_type, public) for public, key_type in keys)


@method("author_insertKey", unsafe=True)
async def insert_key(context: Context, key_type: Any, seed: Any, public_key: Any) -> Any:
    """Takes a key pair by its seed (64 hexadecimal digits), of whatever scheme has this public key."""
    kind, text = _key_type(key_type), parse_text(seed, "seed")
    public = parse_bytes(public_key, "public key")
    try:
        fitting = [scheme for scheme in _SCHEMES if Keystore().generate(kind, scheme, text) == public]
    except BadSeed as error:
        raise RpcError(AUTHOR_CLIENT, str(error)) from None
    if not fitting:
        raise RpcError(AUTHOR_CLIENT, "the seed makes no key pair with this public key")
    context.service.node.keystore.generate(kind, fitting[0], text)


@method("author_rotateKeys", unsafe=True)
async def rotate_keys(context: Context) -> Any:
    """New session keys, as the runtime strings them together."""
    return hex_of((await _rotate(context, b""))[0])


@method("author_rotateKeysWithOwner", unsafe=True)
async def rotate_keys_with_owner(context: Context, owner: Any) -> Any:
    """New session keys with the proof that they are held by an account."""
    keys, proof = await _rotate(context, parse_bytes(owner, "owner"))
    return {"keys": hex_of(keys), "proof": hex_of(proof)}


async def _rotate(context: Context, owner: bytes) -> tuple[bytes, bytes]:
    service = context.service
    with_owner = dict(service.version.apis).get(_SESSION_KEYS_API, 0) >= 2
    argument = (vec(owner) if with_owner else b"") + option(None)
    encoded = await service.run(service.node.call, "SessionKeys_generate_session_keys", argument)
    try:
        reader = Reader(encoded)
        keys = reader.vector()
        return keys, reader.vector() if with_owner else b""
    except CodecError as error:
        raise RuntimeFault(f"the runtime's session keys cannot be read: {error}") from error
