"""Host functions: the keystore, which only calls from outside of blocks have."""

from __future__ import annotations

from llmnet.devnode.errors import CodecError
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.host.registry import HostCall, HostFunction, HostRefusedError, host_function
from llmnet.devnode.instance import MASK32
from llmnet.devnode.keystore import BadSeed, Keystore, Scheme
from llmnet.devnode.scale import Reader, compact

_PUBLIC_BYTES: dict[Scheme, int] = {"sr25519": 32, "ed25519": 32, "ecdsa": 33}


def _keystore(host: HostCall) -> Keystore:
    if host.keystore is None:
        raise HostRefusedError(
            "No `keystore` associated for the current context: blocks cannot use session keys"
        )
    return host.keystore


def _read_seed(host: HostCall, span: int) -> str | None:
    try:
        seed = Reader(host.instance.read_span(span)).optional_bytes()
        return None if seed is None else seed.decode()
    except (CodecError, UnicodeDecodeError) as error:
        raise HostRefusedError(f"a seed cannot be decoded: {error}") from None


def _public_keys(scheme: Scheme) -> HostFunction:
    def call(host: HostCall, key_type: int) -> int:
        keys = _keystore(host).public_keys(host.instance.read(key_type & MASK32, 4), scheme)
        return host.instance.allocate_span(compact(len(keys)) + b"".join(keys))

    return call


def _generate(scheme: Scheme) -> HostFunction:
    def call(host: HostCall, key_type: int, seed: int) -> int:
        keystore, kind = _keystore(host), host.instance.read(key_type & MASK32, 4)
        try:
            return host.instance.allocate(keystore.generate(kind, scheme, _read_seed(host, seed)))
        except BadSeed as error:
            raise HostRefusedError(str(error)) from None

    return call


def _sign(host: HostCall, key_type: int, scheme: Scheme, public: int, message: bytes) -> int:
    instance = host.instance
    kind, key = instance.read(key_type & MASK32, 4), instance.read(public & MASK32, _PUBLIC_BYTES[scheme])
    signature = _keystore(host).sign(kind, scheme, key, message)
    return instance.allocate_span(b"\0" if signature is None else b"\1" + signature)


@host_function("ext_crypto_sr25519_sign_version_1")
def sr25519_sign(host: HostCall, key_type: int, public: int, message: int) -> int:
    return _sign(host, key_type, "sr25519", public, host.instance.read_span(message))


@host_function("ext_crypto_ed25519_sign_version_1")
def ed25519_sign(host: HostCall, key_type: int, public: int, message: int) -> int:
    return _sign(host, key_type, "ed25519", public, host.instance.read_span(message))


@host_function("ext_crypto_ecdsa_sign_version_1")
def ecdsa_sign(host: HostCall, key_type: int, public: int, message: int) -> int:
    return _sign(host, key_type, "ecdsa", public, blake2_256(host.instance.read_span(message)))


@host_function("ext_crypto_ecdsa_sign_prehashed_version_1")
def ecdsa_sign_prehashed(host: HostCall, key_type: int, public: int, digest: int) -> int:
    return _sign(host, key_type, "ecdsa", public, host.instance.read(digest & MASK32, 32))


for _scheme in _PUBLIC_BYTES:
    host_function(f"ext_crypto_{_scheme}_public_keys_version_1")(_public_keys(_scheme))
    host_function(f"ext_crypto_{_scheme}_generate_version_1")(_generate(_scheme))
