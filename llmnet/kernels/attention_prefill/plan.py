"""The work list of a prefill: made once a batch on the host, used by every layer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from llmnet.kernels._config import HEAD_DIMS, TileConfig, tables_of
from llmnet.kernels.errors import ShapeError


@dataclass(frozen=True)
class PrefillPlan:
    """``work``: int32 ``[items, 2]`` of (sequence, query block) on the device, longest first; ``config``: its
    tiling."""

    work: Tensor
    config: TileConfig


def make_plan(
    q_lens: list[int],
    context_lens: list[int],
    head_dim: int,
    device: torch.device,
    config: TileConfig | None = None,
) -> PrefillPlan:
    """List the query blocks of a batch. The order affects speed only: every block is computed by itself."""
    if config is None and head_dim not in HEAD_DIMS:
        raise ShapeError(f"head_dim {head_dim} has no pinned configuration: supported are {list(HEAD_DIMS)}")
    config = config or tables_of(device).prefill[head_dim]
    block = config.block_m
    items = [
        (context_len - q_len + min((i_m + 1) * block, q_len), i_b, i_m)
        for i_b, (q_len, context_len) in enumerate(zip(q_lens, context_lens, strict=True))
        for i_m in range(-(-q_len // block))
    ]
    items.sort(key=lambda item: -item[0])  # stable: equal lengths keep the order of the batch
    work = torch.tensor([item[1:] for item in items], dtype=torch.int32).reshape(-1, 2)
    return PrefillPlan(work.to(device), config)
