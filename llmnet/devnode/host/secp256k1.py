"""Recovery of public keys from ECDSA signatures over secp256k1."""

from __future__ import annotations

from typing import Any

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# The runtime's `EcdsaVerifyError`, encoded as the error of a result.
BAD_RS, BAD_V, BAD_SIGNATURE = b"\1\0", b"\1\1", b"\1\2"


class RecoveryError(Exception):
    """A signature from which no key follows; `code` is what the runtime gets."""

    def __init__(self, code: bytes) -> None:
        super().__init__(code)
        self.code = code


def recover(signature: bytes, digest: bytes, *, overflowing: bool) -> Any:
    """The public key (of the library coincurve) that signed a 32-byte digest.

    `signature` is r, s (32 bytes each, big endian) and the recovery id of 0 to 3. Numbers beyond the group's
    order are reduced if `overflowing`, as the first version of the host functions did, and refused otherwise.
    Raises RecoveryError.
    """
    import coincurve  # rarely used by runtimes, slow to import

    if signature[64] > 3:
        raise RecoveryError(BAD_V)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if overflowing:
        r, s = r % ORDER, s % ORDER
    elif r >= ORDER or s >= ORDER:
        raise RecoveryError(BAD_RS)
    if not r or not s:
        raise RecoveryError(BAD_SIGNATURE)
    plain = r.to_bytes(32, "big") + s.to_bytes(32, "big") + signature[64:]
    try:
        return coincurve.PublicKey.from_signature_and_message(plain, digest, hasher=None)
    except ValueError as error:
        raise RecoveryError(BAD_SIGNATURE) from error
