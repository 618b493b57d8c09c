"""Vectors of the objects' encodings and hashes, and of bytes that are no object."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from llmnet.proof.encoded import Encoded
from llmnet.proof.errors import DecodeError
from llmnet.proof.hashing import (
    HASH_NAMES,
    domain_hash,
    output_hash,
    reference_commitment,
    request_seed,
    session_seed,
    text_hash,
)
from llmnet.proof.leaf import LANES, Candidate, Leaf
from llmnet.proof.merkle import (
    WeightEntry,
    batch_root,
    place_segments,
    receipts_root,
    transcript_root,
    weights_root,
)
from llmnet.proof.receipt import PlacedSegment, Receipt, Segment, Voucher
from llmnet.proof.request import Message, Request, Role
from llmnet.proof.scale import uint
from llmnet.proof.service import Calibration, ServiceSpec

from .form import Case, VectorFile, case
from .source import Source

U32, U64, U128 = (1 << 32) - 1, (1 << 64) - 1, (1 << 128) - 1
_ABOUT = (
    "decode in.encoded: either out.object (which encodes to in.encoded again{hash}) or out.error, one of "
    "truncated trailing compact enum too_long utf8 range (the last three perhaps by a check after decoding)"
)


def _good(item: Encoded) -> Case:
    out: dict[str, object] = {"object": item}
    if isinstance(item, ServiceSpec):
        out["hash"] = item.id
    elif isinstance(item, (Request, Receipt)):
        out["hash"] = item.hash
    return case({"encoded": item.encode()}, out)


def _bad(kind: type[Encoded], data: bytes) -> Case:
    try:
        kind.decode(data)
    except DecodeError as error:
        return case({"encoded": data}, {"error": error.kind})
    raise AssertionError(f"{kind.__name__} accepts {data.hex()}")


def _file(
    name: str, kind: type[Encoded], items: Iterable[Encoded], bad: Iterable[bytes], hashed: bool = False
) -> VectorFile:
    good = list(items)
    encoded = good[0].encode()
    cut = [encoded[:size] for size in (0, 1, len(encoded) // 2, len(encoded) - 1)]
    cases = [_good(item) for item in good]
    cases += [_bad(kind, data) for data in (*cut, encoded + b"\x00", *bad)]
    return VectorFile(name, _ABOUT.format(hash=", its domain hash is out.hash" if hashed else ""), cases)


def spec() -> VectorFile:
    """ServiceSpec."""
    source = Source("spec")
    items = [source.spec() for _ in range(20)]
    zero, full = bytes(32), b"\xff" * 32
    items += [
        ServiceSpec(b"", zero, zero, zero, zero, 1, 1, items[0].numerics, 0, 0, 0, 0),
        ServiceSpec(b"n" * 64, full, full, full, full, 1, 32, items[1].numerics, U32, U32, 255, 255),
        ServiceSpec(b"n" * 63, zero, full, zero, full, 1, 16, items[2].numerics, 49152, 8192, 9, 9),
    ]
    base = items[-1].encode()
    at = len(base) - 13  # sampler_version, top_k, numerics stand before two u32 and two u8
    bad = [
        b"\x05\x01" + b"n" * 65 + base[64:],  # 65 bytes of name
        b"\xfd\x00" + base[1:],  # 63 in two bytes
        b"\x0b" + base[1:],  # a length wider than 32 bits
        base[:at] + b"\x02" + base[at + 1 :],
        base[: at + 1] + b"\x00" + base[at + 2 :],
        base[: at + 1] + b"\x21" + base[at + 2 :],
        base[: at + 2] + b"\x04" + base[at + 3 :],
    ]
    return _file("spec", ServiceSpec, items, bad, hashed=True)


def calibration() -> VectorFile:
    """Calibration."""
    source = Source("calibration")
    items = [source.calibration() for _ in range(18)]
    items += [Calibration(0, 0, 0, 0, 0, 0, 0), Calibration(U64, U64, U64, U64, U32, U32, U32)]
    return _file("calibration", Calibration, items, [])


def request() -> VectorFile:
    """Request, with its messages."""
    source = Source("request")

    def one() -> Request:
        messages = [
            Message(source.random.choice(list(Role)), source.text(80))
            for _ in range(source.random.randint(0, 6))
        ]
        stops = [source.text(12) for _ in range(source.random.randint(0, 4))]
        return Request(
            source.uint(64), source.uint(32), tuple(messages), source.uint(16), source.uint(32), tuple(stops)
        )

    hello = Request(7, 0, (Message.of(Role.USER, "Hello"),), 256, 16, (b"\n",))
    items = [hello, *(one() for _ in range(24))]
    items += [
        Request(0, 0, (), 0, 0),
        Request(U64, U32, (Message.of(Role.SYSTEM, ""),), 0xFFFF, U32, (b"",)),
        Request(1, 2, tuple(Message.of(Role.USER, "m") for _ in range(64)), 1, 1),
        Request(1, 3, (Message.of(Role.ASSISTANT, "x" * 16384),), 1, 1),
    ]
    base = hello.encode()
    bad = [
        base[:13] + b"\x03" + base[14:],  # no such role
        base[:12] + b"\x05\x00" + base[13:],  # one message in two bytes
        base[:12] + b"\x06\x00\x00\x00" + base[13:],
        base[:12] + b"\x03\x01\x00\x00\x00" + base[13:],
        base[:12] + b"\x07\x01\x00\x00\x00\x00" + base[13:],
        base[:12] + b"\xfc" + base[13:],  # 63 messages announced
        base[:15] + b"\xff\xfe\xfd\xfc\xfb" + base[20:],
        base[:15] + b"\xed\xa0\x80aa" + base[20:],  # a surrogate
        base[:-1] + b"\x80",
    ]
    return _file("request", Request, items, bad, hashed=True)


def leaf() -> VectorFile:
    """Leaf: any values its fields can hold; whether it is well formed is another file."""
    source = Source("leaf")
    items = [
        source.leaf(source.uint(20), source.random.randint(1, 32), 49152, source.hash(), 256)
        for _ in range(20)
    ]
    low, high = (-32768,) * LANES, (32767,) * LANES
    items += [
        Leaf(0, 0, (), (0,) * LANES, (0,) * LANES),
        Leaf(U32, U32, (Candidate(U32, 0),), low, high),
        Leaf(1, 2, tuple(Candidate(i, -32768 + i) for i in range(32)), high, low),
        Leaf(5, 9, (Candidate(9, 5), Candidate(9, -5)), tuple(range(-4, 4)), tuple(range(8))),
    ]
    base = items[-1].encode()
    bad = [
        base[:8] + b"\x84" + bytes(33 * 6) + base[-32:],  # 33 candidates
        base[:8] + b"\x09\x00" + base[9:],
        base[:8] + b"\x0c" + base[9:],  # one more candidate than there is
        base[:8] + b"\xfe\xff\xff\xff" + base[9:],
    ]
    return _file("leaf", Leaf, items, bad)


def receipt() -> VectorFile:
    """Receipt."""
    source = Source("receipt")
    items = [source.receipt(source.uint(64), source.uint(32)) for _ in range(22)]
    zero, full = bytes(32), b"\xff" * 32
    items += [
        Receipt(0, 0, zero, 0, zero, zero, 0, 1, items[0].finish, zero),
        Receipt(U64, U32, full, 0xFFFF, full, full, U32, U32, items[1].finish, full),
    ]
    base = items[0].encode()
    bad = [
        base[:118] + b"\x03" + base[119:],
        base[:118] + b"\xff" + base[119:],
        base[:114] + bytes(4) + base[118:],
    ]
    return _file("receipt", Receipt, items, bad, hashed=True)


def voucher() -> VectorFile:
    """Voucher."""
    source = Source("voucher")
    items = [Voucher(source.uint(64), source.uint(128), source.uint(32)) for _ in range(22)]
    items += [Voucher(0, 0, 0), Voucher(U64, U128, U32), Voucher(1, 1 << 64, 1)]
    return _file("voucher", Voucher, items, [])


def _segments(source: Source, count: int) -> list[Segment]:
    out = []
    for _ in range(count):
        first = source.uint(16)
        out.append(
            Segment(
                source.uint(64), first, first + source.random.randint(0, 40), source.hash(), source.uint(128)
            )
        )
    return out


def segment() -> list[VectorFile]:
    """Segment, PlacedSegment, and the roots over receipts and segments."""
    source = Source("segment")
    items = [*_segments(source, 18), Segment(0, 0, 0, bytes(32), 0), Segment(U64, 0, U32, b"\xff" * 32, U128)]
    base = items[0]
    swapped = uint(base.session, 64) + uint(5, 32) + uint(4, 32) + base.receipts_root + uint(base.amount, 128)
    placed: list[PlacedSegment] = [item for _ in range(4) for item in place_segments(_segments(source, 4))]
    placed.append(PlacedSegment(U32, items[-1]))
    return [
        _file("segment", Segment, items, [swapped]),
        _file("placed_segment", PlacedSegment, placed, [uint(0, 32) + swapped]),
        _roots(source),
    ]


def _roots(source: Source) -> VectorFile:
    cases = []
    for n in (1, 2, 3, 4, 5, 8, 13):
        session, first = source.uint(63), source.uint(16)
        receipts = [source.receipt(session, first + i) for i in range(n)]
        cases.append(
            case({"receipts": [item.encode() for item in receipts]}, {"root": receipts_root(receipts)})
        )
        placed = place_segments(_segments(source, n))
        cases.append(
            case({"placed_segments": [item.encode() for item in placed]}, {"root": batch_root(placed)})
        )
        leaves = [source.leaf(i, 4, 1000, source.hash(), 256) for i in range(n)]
        cases.append(case({"leaves": [item.encode() for item in leaves]}, {"root": transcript_root(leaves)}))
        cases.append(_weights(source, n))
    about = (
        "Merkle roots over the SCALE encodings of a segment's receipts, a batch's placed segments, "
        "a transcript's leaves; and weights_root, "
        "whose entries are given in no order"
    )
    return VectorFile("roots", about, cases)


def _weights(source: Source, n: int) -> Case:
    entries = [
        WeightEntry(
            f"model.{source.uint(30)}.{i}",
            source.random.choice(["F32", "BF16"]),
            (source.uint(16), i),
            source.hash(),
        )
        for i in range(n)
    ]
    tensors = [
        {
            "name": e.name,
            "dtype": e.dtype,
            "shape": [str(size) for size in e.shape],
            "raw_hash": e.raw_hash,
            "encoded": e.encode(),
        }
        for e in entries
    ]
    return case({"tensors": tensors}, {"root": weights_root(entries)})


def hashing() -> VectorFile:
    """Domain-separated hashes of plain bytes."""
    source = Source("hashing")
    cases = [
        case({"name": name, "data": data}, {"hash": domain_hash(name, data)})
        for name in sorted(HASH_NAMES)
        for data in (b"", source.random.randbytes(source.random.randint(1, 200)))
    ]
    return VectorFile("hashing", "H(name, data)", cases)


def derived() -> list[VectorFile]:
    """Seeds, output and text hashes."""
    source = Source("derived")
    seeds = []
    for session, index in [(0, 0), (U64, U32)] + [(source.uint(64), source.uint(32)) for _ in range(20)]:
        beacon, request_hash = source.hash(), source.hash()
        of_session = session_seed(beacon, session)
        given = {"beacon_value": beacon, "session": session, "index": index, "request_hash": request_hash}
        seeds.append(
            case(
                given,
                {"session_seed": of_session, "request_seed": request_seed(of_session, index, request_hash)},
            )
        )
    outputs = []
    for size in [1, 2, 3, 63, 64, 65] + [source.random.randint(1, 40) for _ in range(16)]:
        tokens, text = [source.uint(32) for _ in range(size)], source.text(60).decode()
        outputs.append(
            case(
                {"tokens": tokens, "text": text},
                {"output_hash": output_hash(tokens), "text_hash": text_hash(text)},
            )
        )
    return [
        VectorFile(
            "seeds",
            "session_seed from beacon value and session, request_seed from that, index and request hash",
            seeds,
        ),
        VectorFile(
            "output_hash",
            "hashes of an answer's token ids (SCALE Vec<u32>) and of its UTF-8 text (no length)",
            outputs,
        ),
    ]


def commitments() -> VectorFile:
    """Commitments of references."""
    source = Source("reference_commitment")
    cases = []
    for i in range(22):
        leaves = [
            source.leaf(3 * j, source.random.randint(1, 8), 500, source.hash(), 256) for j in range(i % 5)
        ]
        audit, account, salt = source.uint(32), source.hash(), source.hash()
        given = {
            "audit": audit,
            "account": account,
            "leaves": [item.encode() for item in leaves],
            "salt": salt,
        }
        cases.append(case(given, {"commitment": reference_commitment(audit, account, leaves, salt)}))
    return VectorFile(
        "reference_commitment",
        'H("reference", audit ++ account ++ SCALE(Vec<Leaf>) ++ salt); leaves are given encoded',
        cases,
    )


SINGLE: tuple[Callable[[], VectorFile], ...] = (
    spec,
    calibration,
    request,
    leaf,
    receipt,
    voucher,
    hashing,
    commitments,
)


def files() -> list[VectorFile]:
    """All files of this module."""
    return [*(make() for make in SINGLE), *segment(), *derived()]
