"""The CPU kernels compute what they say, to the same bits in any company, on any thread, with any instructions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from llmnet import proof
from llmnet.engine import UnsupportedModelError
from llmnet.engine.cpu import Kernels, Machine, Sketcher, host, lanes, source_digest
from llmnet.engine.cpu.kernels import padded_rows
from llmnet.engine.cpu.objects import ObjectStore
from llmnet.engine.cpu.policy import cpu_policy

HEAD, GROUP, KV_HEADS = 32, 3, 2
KINDS = [torch.float32, torch.float16, torch.bfloat16]


def make(kind: torch.dtype = torch.float32, **options: object) -> Kernels:
    return Kernels(kind, kind, HEAD, GROUP, **options)  # type: ignore[arg-type]


def numbers(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def same_bits(x: torch.Tensor, y: torch.Tensor) -> bool:
    return x.shape == y.shape and x.contiguous().numpy().tobytes() == y.contiguous().numpy().tobytes()


@pytest.fixture(scope="module", params=["threads", "older processor"])
def other(request: pytest.FixtureRequest) -> Kernels:
    """The same kernels on two threads, or with registers of half the width."""
    if request.param == "threads":
        return make(threads=2)
    machine = Machine("haswell")
    assert not machine.wide
    return make(machine=machine)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "n", "k"), [(1, 8, 16), (7, 33, 48), (23, 301, 112)])
def test_linear_is_a_matrix_product(kind: torch.dtype, rows: int, n: int, k: int) -> None:
    x, weight, bias = numbers(rows, k).to(kind).float(), numbers(n, k, seed=2).to(kind), numbers(n, seed=3)
    exact = x.double() @ weight.double().T
    made = make(kind).logits(x, weight)
    torch.testing.assert_close(made.double(), exact, atol=1e-5, rtol=1e-5)
    rounded = make(kind).linear(x, weight, bias)
    assert same_bits(rounded, rounded.to(kind).float()), "results are numbers of the class"
    tolerance = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[kind]
    torch.testing.assert_close(rounded.double(), exact + bias, atol=1e-4, rtol=tolerance)


def test_a_row_of_a_product_does_not_depend_on_the_others() -> None:
    kernels, x, weight = make(), numbers(40, 80), numbers(61, 80, seed=2)
    whole = kernels.linear(x, weight)
    for rows in range(1, 40):
        assert same_bits(kernels.linear(x[:rows], weight), whole[:rows])
        assert same_bits(kernels.linear(x[rows:].contiguous(), weight), whole[rows:])


def test_the_order_of_a_sum_is_the_documented_one() -> None:
    """Integers, so that every order gives the same sum, except where one number swallows another."""
    kernels, x, weight = make(), torch.zeros(1, 48), torch.ones(1, 48)
    x[0, 0], x[0, 16], x[0, 32] = 2.0**24, 1.0, -(2.0**24)  # one lane: (2^24 + 1) - 2^24 = 0
    assert kernels.linear(x, weight).item() == 0.0
    x[0, 16], x[0, 17] = 0.0, 1.0  # another lane: the 1 survives
    assert kernels.linear(x, weight).item() == 1.0
    x = torch.zeros(1, 48)
    x[0, 0], x[0, 8], x[0, 4] = 2.0**24, -(2.0**24), 1.0  # lanes i and i + 8 meet first
    assert kernels.linear(x, weight).item() == 1.0
    x[0, 8], x[0, 4] = 1.0, -(2.0**24)  # now the 1 is swallowed, which in ascending order it would not be
    assert kernels.linear(x, weight).item() == 0.0


def attention_inputs(tokens: int) -> tuple[torch.Tensor, ...]:
    """q, k, v, page table, slots; pages lie in disorder."""
    q, k, v = (
        numbers(tokens, heads * HEAD, seed=s)
        for s, heads in ((1, KV_HEADS * GROUP), (2, KV_HEADS), (3, KV_HEADS))
    )
    table = torch.tensor([[4, 1, 6, 0, 2]], dtype=torch.int32)
    slots = torch.tensor([int(table[0, at // 16]) * 16 + at % 16 for at in range(tokens)])
    return q, k, v, table, slots


def turned(x: torch.Tensor, tables: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    heads = x.view(len(x), -1, HEAD)
    cosines, sines = (table[: len(x), None] for table in tables)
    a, b = heads.chunk(2, -1)
    return torch.cat((a * cosines - b * sines, b * cosines + a * sines), -1)


def rope(context: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.outer(torch.arange(context).float(), 100.0 ** -(torch.arange(0, HEAD, 2) / HEAD))
    return angles.cos().contiguous(), angles.sin().contiguous()


def attended(kernels: Kernels, tokens: int, chunks: list[int]) -> torch.Tensor:
    """Attention over `tokens` positions fed in chunks; pages begin as NaN."""
    q, k, v, table, slots = attention_inputs(tokens)
    keys = torch.full((7, 16, KV_HEADS, HEAD), torch.nan)
    values, done, out = keys.clone(), 0, []
    for count in chunks:
        part, at = slice(done, done + count), torch.arange(done, done + count)
        turning = q[part].clone()
        kernels.rotate_and_store(turning, k[part], v[part], rope(80), at, slots[part], keys, values)
        owners = torch.zeros(count, dtype=torch.int64)
        out.append(kernels.attend(turning, keys, values, table, owners, at, HEAD**-0.5))
        done += count
    return torch.cat(out)


@pytest.mark.parametrize("tokens", [1, 15, 16, 17, 63, 80])
def test_attention_is_that_of_torch_and_reads_nothing_that_was_not_written(tokens: int) -> None:
    q, k, v, _, _ = attention_inputs(tokens)
    q, k, v = (
        x.view(tokens, -1, HEAD).transpose(0, 1).double()
        for x in (turned(q, rope(80)), turned(k, rope(80)), v)
    )
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0]
    made = attended(make(), tokens, [tokens])
    torch.testing.assert_close(made.double(), expected.transpose(0, 1).reshape(tokens, -1), atol=2e-6, rtol=0)


@pytest.mark.parametrize("chunks", [[1] * 63, [16, 47], [62, 1], [5, 40, 18]])
def test_attention_does_not_depend_on_chunks(chunks: list[int]) -> None:
    assert same_bits(attended(make(), 63, chunks), attended(make(), 63, [63]))


@pytest.mark.parametrize(("group", "head"), [(1, 16), (7, 128), (3, 256)])
def test_attention_of_other_shapes(group: int, head: int) -> None:
    kernels = Kernels(torch.float32, torch.float32, head, group)
    q, keys, values = (
        numbers(2, group * head),
        numbers(2, 16, 1, head, seed=2),
        numbers(2, 16, 1, head, seed=3),
    )
    table = torch.tensor([[1, 0]], dtype=torch.int32)
    made = kernels.attend(
        q, keys, values, table, torch.zeros(2, dtype=torch.int64), torch.tensor([18, 19]), 0.1
    )
    k, v = (torch.cat((cache[1], cache[0]))[:20, 0] for cache in (keys, values))
    for row, context in ((0, 19), (1, 20)):
        weights = (q[row].view(group, head) @ k[:context].T * 0.1).softmax(-1)
        torch.testing.assert_close(made[row].view(group, head), weights @ v[:context], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_norm_adds_first_and_rounds_what_it_should(kind: torch.dtype) -> None:
    kernels, x, added, weight = (
        make(kind),
        numbers(5, 48).to(kind).float(),
        numbers(5, 48, seed=2).to(kind).float(),
        numbers(48),
    )
    stream = (x + added).to(kind).float()
    expected = F.rms_norm(stream, (48,), weight, 1e-5)
    made = kernels.norm(x, weight, 1e-5, added)
    assert same_bits(x, stream)
    torch.testing.assert_close(
        made, expected.to(kind).float(), atol=1e-6, rtol=1e-2 if kind != torch.float32 else 1e-6
    )
    exact = kernels.final_norm(x.clone(), weight, 1e-5, torch.zeros_like(x))
    torch.testing.assert_close(exact, expected, atol=1e-6, rtol=1e-6)


def test_norm_of_heads_is_that_of_each_head() -> None:
    x, weight = numbers(3, 4 * HEAD), numbers(HEAD, seed=2)
    expected = F.rms_norm(x.view(3, 4, HEAD), (HEAD,), weight, 1e-6).view(3, -1)
    make().norm_heads(x, weight, 1e-6)
    torch.testing.assert_close(x, expected, atol=1e-6, rtol=1e-6)


def test_swiglu_over_the_whole_range_of_the_exponential() -> None:
    gate = torch.cat((torch.linspace(-95, 95, 4096 * 16), torch.tensor([0.0, -0.0, 1e-30, -1e-30] * 4)))
    made = make().swiglu(gate.clone()[None], torch.ones(1, len(gate)))[0].double()
    exact = gate.double() / (1 + torch.exp(-gate.double()))
    small = exact.abs() < 1e-35
    assert ((made - exact).abs() / exact.abs().clamp(min=1e-35))[~small].max() < 3e-7
    assert made[small].abs().max() < 1e-35


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_is_that_of_the_class(kind: torch.dtype) -> None:
    x = torch.cat((numbers(4, 48) * 1000, torch.tensor([torch.inf, -torch.inf, 1e-41, 65_519.0] * 12)[None]))
    assert same_bits(make(kind).rounded(x), x.to(kind).float())
    assert make(kind).rounded(torch.full((1, 16), torch.nan)).isnan().all()


def test_not_a_number_stays_one() -> None:
    kernels, bad = make(), numbers(2, 48)
    bad[1, 7] = torch.nan
    assert kernels.linear(bad, numbers(9, 48)).isnan().all(dim=1).tolist() == [False, True]
    assert kernels.norm(bad.clone(), torch.ones(48), 1e-5).isnan().all(dim=1).tolist() == [False, True]
    assert kernels.swiglu(bad.clone(), torch.ones(2, 48)).isnan().sum() == 1
    half = make(torch.bfloat16)
    assert half.linear(bad, numbers(9, 48).bfloat16()).isnan().all(dim=1).tolist() == [False, True]
    octets = [torch.zeros(48, dtype=torch.uint8)] * 2
    assert Sketcher().sketch(bad, octets, centred=True).isnan().any(dim=1).tolist() == [False, True]


@pytest.mark.parametrize("size", [48, 274])
@pytest.mark.parametrize("centred", [True, False])
def test_sketch_is_that_of_the_protocol(size: int, centred: bool) -> None:
    z = padded_rows(3, size)
    z.copy_(numbers(3, size) * 5)
    signs = proof.sign_matrix(bytes(range(32)), "LOGI", size)
    octets = torch.full((-(-size // 16) * 16,), 255, dtype=torch.uint8)
    octets[:size] = torch.from_numpy(np.packbits(signs < 0, axis=0, bitorder="little")[0])
    made = Sketcher().sketch(z, [octets] * 3, centred=centred).double()
    exact = z.double()
    mean = exact.mean(1)
    torch.testing.assert_close(made[:, 0] + made[:, 1].log(), exact.logsumexp(1), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(made[:, 2], mean, atol=1e-6, rtol=1e-6)
    lanes = (exact - mean[:, None] * centred) @ torch.from_numpy(signs.astype("float64")).T
    torch.testing.assert_close(made[:, 3:], lanes, atol=1e-3, rtol=1e-5)


def test_other_threads_and_other_processors_give_the_same_bits(other: Kernels) -> None:
    here = make()
    x, weight = numbers(19, 112), numbers(301, 112, seed=2)
    assert same_bits(other.linear(x, weight), here.linear(x, weight))
    assert same_bits(attended(other, 63, [40, 23]), attended(here, 63, [63]))
    assert same_bits(other.norm(x.clone(), x[0], 1e-5, x), here.norm(x.clone(), x[0], 1e-5, x))
    assert same_bits(other.swiglu(x * 30, x), here.swiglu(x * 30, x))


def test_sketches_do_not_depend_on_threads_and_processors() -> None:
    x, octets = numbers(19, 112), [torch.arange(112, dtype=torch.uint8)] * 19
    here = Sketcher().sketch(x, octets, centred=True)
    for other in (Sketcher(threads=2), Sketcher(machine=Machine("haswell"))):
        assert same_bits(other.sketch(x, octets, centred=True), here)


@pytest.mark.parametrize("head", [0, 8, 24, 272])
def test_heads_that_are_not_whole_vectors_are_refused(head: int) -> None:
    with pytest.raises(UnsupportedModelError, match=f"heads of {head}"):
        Kernels(torch.float32, torch.float32, head, 1)


def test_the_digest_belongs_to_the_source() -> None:
    digest = source_digest(torch.float32, torch.float32, 64, 3)
    assert digest == source_digest(torch.float32, torch.float32, 64, 3)
    others = [
        source_digest(torch.bfloat16, torch.float32, 64, 3),
        source_digest(torch.float32, torch.float32, 64, 4),
    ]
    assert len({digest, *others}) == 3
    assert len(digest) == 32
    assert host() is host()


def test_the_policy_is_that_of_the_source_and_of_no_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = cpu_policy(ObjectStore(tmp_path / "a"))
    assert sorted(policy.kernels) == ["bf16", "bf16_fp32_residual", "fp16", "fp32"]
    assert len(set(policy.kernels.values())) == 4
    assert cpu_policy(ObjectStore(tmp_path / "a")).digest() == policy.digest()
    real = lanes.Emitter.totals
    monkeypatch.setattr(
        lanes.Emitter, "totals", lambda e, vectors: e.b.fadd(real(e, vectors), real(e, vectors))
    )
    assert cpu_policy(ObjectStore(tmp_path / "b")).digest() != policy.digest(), (
        "another order of summation is another policy"
    )
