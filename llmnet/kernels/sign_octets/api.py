"""Signs: validate, then dispatch to Triton or to the reference."""

from typing import Literal

from torch import Tensor

from llmnet.kernels._checks import check_keys
from llmnet.kernels._dispatch import choose_integer_backend
from llmnet.kernels._philox import SIGN_TAGS
from llmnet.kernels.errors import ShapeError
from llmnet.kernels.sign_octets.reference import sign_octets_reference

LaneSet = Literal["LOGI", "HIDN"]


def sign_octets(keys: Tensor, n: int, lane_set: LaneSet, backend: str | None = None) -> Tensor:
    """Sign byte of each of ``n`` elements for each request: bit j set means that lane j has -1.

    ``keys``: int64 ``[requests, 2]``, the first two little-endian words of each request's seed; ``lane_set``:
    ``"LOGI"`` over the vocabulary, ``"HIDN"`` over the hidden dimension. Element v takes byte ``v mod 16`` of
    Philox block ``v div 16`` (docs/protocol.md, section 3). Made once a request and used by every
    :func:`llmnet.kernels.lm_head_leaf` of it.

    Returns uint8 ``[requests, n]`` with rows a multiple of 16 bytes apart. Raises: :class:`ShapeError`,
    :class:`DtypeError`, :class:`LengthError`, :class:`BackendError`.
    """
    check_keys(keys)
    if lane_set not in SIGN_TAGS:
        raise ShapeError(f"lane_set must be one of {sorted(SIGN_TAGS)}, got {lane_set!r}")
    if not 0 < n < 1 << 31:
        raise ShapeError(f"a sketch has 1..2^31 elements, got {n}")
    if choose_integer_backend(backend, keys) == "reference":
        return sign_octets_reference(keys, n, lane_set)[:, :n]
    from llmnet.kernels.sign_octets.triton import sign_octets_triton  # Triton is imported when it runs

    return sign_octets_triton(keys, n, lane_set)[:, :n]
