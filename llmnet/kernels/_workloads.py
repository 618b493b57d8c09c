"""Serving-like launches that the tuner measures on a GPU: what each slot of a table is for."""

from collections.abc import Callable

import torch
from torch import Tensor

from llmnet.kernels._config import ProductConfig, TileConfig
from llmnet.kernels.attention_decode import attention_decode
from llmnet.kernels.attention_prefill import attention_prefill, plan_prefill
from llmnet.kernels.lm_head_leaf import lm_head_leaf
from llmnet.kernels.matmul import matmul

PAGE = 64
ROUNDS, REPEATS = 20, 5
HIDDEN, OUT, VOCABULARY = 4096, 4096, 128_256


def graph_seconds(launch: Callable[[], object]) -> float:
    """Median seconds of one ``launch``: captured ``REPEATS`` times in a graph, replayed ``ROUNDS`` times."""
    launch()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(REPEATS):
            launch()
    times: list[float] = []
    for _ in range(ROUNDS + 3):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / REPEATS)
    return sorted(times[3:])[ROUNDS // 2]


def _pages(batch: int, context: int, kv_heads: int, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    count = batch * context // PAGE
    caches = torch.randn(2, count, PAGE, kv_heads, dim, device="cuda").bfloat16()
    order = torch.randperm(count, device="cuda").to(torch.int32).view(batch, -1)
    return caches[0], caches[1], order


def prefill_seconds(dim: int, _config: TileConfig | ProductConfig) -> float:
    """Two prompts of 8,192 tokens, 32 query heads on 8 of the cache."""
    batch, length = 2, 8192
    q = torch.randn(batch * length, 32, dim, device="cuda").bfloat16()
    ends = torch.arange(batch + 1, dtype=torch.int32) * length
    contexts = torch.full((batch,), length, dtype=torch.int32)
    pages = _pages(batch, length, 8, dim)
    plan = plan_prefill(ends, contexts, length, dim, "cuda")
    lengths = ends.cuda(), contexts.cuda()
    return graph_seconds(lambda: attention_prefill(q, *pages, *lengths, dim**-0.5, plan=plan))


def decode_seconds(dim: int, _config: TileConfig | ProductConfig) -> float:
    """32 sequences of 4,096 tokens, 32 query heads on 8 of the cache."""
    batch, length = 32, 4096
    q = torch.randn(batch, 32, dim, device="cuda").bfloat16()
    contexts = torch.full((batch,), length, dtype=torch.int32, device="cuda")
    pages = _pages(batch, length, 8, dim)
    return graph_seconds(lambda: attention_decode(q, *pages, contexts, dim**-0.5))


def _rows(config: TileConfig | ProductConfig) -> int:
    widest = config.max_rows if isinstance(config, ProductConfig) else None
    return widest or 4096


def matmul_seconds(_key: int, config: TileConfig | ProductConfig) -> float:
    """As many rows as the bucket takes, through the projections of an 8B model."""
    x = torch.randn(_rows(config), HIDDEN, device="cuda").bfloat16()
    weights = torch.randn(8, OUT, HIDDEN, device="cuda").bfloat16()  # more than the second-level cache holds
    return graph_seconds(lambda: [matmul(x, weight) for weight in weights]) / len(weights)


def lm_head_seconds(_key: int, config: TileConfig | ProductConfig) -> float:
    """The output layer of an 8B model for as many rows as the bucket takes, 256 at most."""
    rows = min(_rows(config), 256)
    hidden = torch.randn(rows, HIDDEN, device="cuda")
    weight = torch.randn(VOCABULARY, HIDDEN, device="cuda").bfloat16()
    logit_octets, hidden_octets = (
        torch.randint(0, 256, (rows, width), device="cuda").byte() for width in (VOCABULARY, HIDDEN)
    )
    return graph_seconds(lambda: lm_head_leaf(hidden, weight, logit_octets, hidden_octets))


WORKLOADS: dict[str, Callable[[int, TileConfig | ProductConfig], float]] = {
    "prefill": prefill_seconds,
    "decode": decode_seconds,
    "matmul": matmul_seconds,
    "lm_head": lm_head_seconds,
}
"""What to measure, by section of a table."""
