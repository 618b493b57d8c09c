"""The sampler and the signs: equal bit for bit to the vectors that Rust and numpy reproduce."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from llmnet import proof
from llmnet.kernels import DtypeError, LayoutError, LengthError, ShapeError, sample, sign_octets
from llmnet.kernels._philox import philox
from llmnet.kernels.sample.logarithm import gumbel_q16, ln_q48, log_tables

VECTORS = Path(__file__).parents[2] / "runtime_spec" / "vectors"
BACKENDS = ["triton", "reference"]


def vectors(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    cases = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return [(case["in"], case["out"]) for case in cases]


def key(seed: bytes) -> list[int]:
    return [int.from_bytes(seed[:4], "little"), int.from_bytes(seed[4:8], "little")]


def words(*rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64)


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_sampling_vector(backend: str) -> None:
    cases = vectors("sampling")
    assert len(cases) >= 60
    for given_, expected in cases:
        winner, token = sample(
            torch.tensor([given_["logprobs"]], dtype=torch.int16),
            words(given_["ids"]),
            words(given_["temperature"]),
            words(key(bytes.fromhex(given_["request_seed"][2:]))),
            words(given_["position"]),
            backend,
        )
        assert (int(winner), int(token)) == (expected["winner"], expected["token"]), given_


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_sign_vector(backend: str) -> None:
    cases = vectors("signs")
    assert {given_["lane_set"] for given_, _ in cases} == {"LOGI", "HIDN"}
    for given_, expected in cases:
        keys = words(key(bytes.fromhex(given_["request_seed"][2:])))
        found = sign_octets(keys, given_["n"], given_["lane_set"], backend)
        assert "0x" + bytes(found[0].tolist()).hex() == expected["octets"], given_


def test_every_philox_and_logarithm_vector() -> None:
    for given_, expected in vectors("philox"):
        counter = tuple(words(word) for word in given_["counter"])
        found = philox(counter, tuple(words(word) for word in given_["key"]))  # type: ignore[arg-type]
        assert [int(word) for word in found] == expected["words"]
    for given_, expected in vectors("ln_gumbel"):
        if "i" in given_:
            logs, reciprocals = log_tables()
            assert (str(logs[given_["i"]]), reciprocals[given_["i"]]) == (expected["ln"], expected["rc"])
        elif "u" in given_:
            assert int(gumbel_q16(words(given_["u"]))) == expected["gumbel_q16"]
        elif int(given_["x"]) < 1 << 62:  # the sampler needs no larger ones
            assert int(ln_q48(words(int(given_["x"])))) == int(expected["ln_q48"])


rows = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(-32767, 0), st.integers(0, (1 << 32) - 1)), min_size=5, max_size=5),
        st.one_of(st.just(0), st.integers(1, 65535)),
        st.binary(min_size=32, max_size=32),
        st.integers(0, (1 << 32) - 1),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.interpreter
@given(rows=rows)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batches_sample_as_numpy_does(rows: list[Any]) -> None:
    logprobs = [[pair[0] for pair in pairs] for pairs, *_ in rows]
    ids = [[pair[1] for pair in pairs] for pairs, *_ in rows]
    temperatures, seeds, positions = ([row[i] for row in rows] for i in (1, 2, 3))
    expected = proof.sampler.sample_batch(logprobs, ids, temperatures, seeds, positions)
    for backend in BACKENDS:
        winner, token = sample(
            torch.tensor(logprobs, dtype=torch.int16),
            words(*ids),
            words(*temperatures),
            words(*(key(seed) for seed in seeds)),
            words(*positions),
            backend,
        )
        assert winner.tolist() == expected.tolist()
        assert token.tolist() == [row[i] for row, i in zip(ids, expected.tolist(), strict=True)]


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_ties_go_to_the_lower_id_and_the_seed_decides(backend: str) -> None:
    even = torch.full((1, 32), -700, dtype=torch.int16)
    ids = (torch.arange(32).flip(0) * 3 + 1)[None]
    greedy = sample(even, ids, words(0), words([1, 2]), words(0), backend)
    assert [int(part) for part in greedy] == [31, 1]
    drawn = {int(sample(even, ids, words(256), words([seed, 2]), words(0), backend)[1]) for seed in range(40)}
    assert len(drawn) > 10


@pytest.mark.interpreter
def test_no_rows_sample_nothing() -> None:
    none = torch.zeros(0, 4)
    empty = torch.zeros(0, dtype=torch.int64)
    found = sample(none.short(), none.long(), empty, torch.zeros(0, 2).long(), empty, "triton")
    assert [part.shape for part in found] == [(0,), (0,)]
    assert sign_octets(torch.zeros(0, 2).long(), 20, "HIDN", "triton").shape == (0, 20)


def test_bad_arguments_are_named() -> None:
    good: dict[str, Tensor] = {
        "logprobs": torch.zeros(2, 3, dtype=torch.int16),
        "ids": words([1, 2, 3], [4, 5, 6]),
        "temperatures": words(0, 256),
        "keys": words([1, 2], [3, 4]),
        "positions": words(0, 1),
    }
    sample(**good)
    cases: list[tuple[str, Tensor, type[Exception], str]] = [
        ("ids", words([1, 2], [3, 4]), ShapeError, r"must be \[rows, 1..32\]"),
        ("temperatures", words(0), ShapeError, "need as many temperatures"),
        ("keys", words([1, 2, 3], [1, 2, 3]), ShapeError, r"keys must be \[rows, 2\]"),
        ("logprobs", torch.zeros(2, 3, dtype=torch.int32), DtypeError, "logprobs must be int16"),
        ("positions", words(0, 1).int(), DtypeError, "int64"),
        ("ids", words([1, 4], [2, 5], [3, 6]).T, LayoutError, "ids must be contiguous"),
        ("logprobs", torch.ones(2, 3, dtype=torch.int16), LengthError, "must not be positive"),
        ("temperatures", words(0, 65536), LengthError, "temperatures must be 0..65535"),
        ("temperatures", words(0, -1), LengthError, "temperatures must be 0..65535"),
        ("keys", words([1, 2], [3, 1 << 32]), LengthError, "32-bit words"),
        ("positions", words(0, -1), LengthError, "positions must be 32-bit words"),
        ("ids", words([1, 2, 3], [4, 5, -6]), LengthError, "ids must be 32-bit words"),
    ]
    for name, value, error, message in cases:
        with pytest.raises(error, match=message):
            sample(**{**good, name: value})
    with pytest.raises(ShapeError, match="lane_set must be one of"):
        sign_octets(words([1, 2]), 8, "LOGO")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"1\.\.2\^31 elements"):
        sign_octets(words([1, 2]), 0, "LOGI")
