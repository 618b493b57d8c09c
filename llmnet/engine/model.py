"""The Llama forward pass over a paged cache: batched decode and chunked prefill in one call.

Architecture: RMSNorm, rotate-half RoPE (Su et al. 2021), grouped-query attention, SwiGLU; tied embeddings; no
biases.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from llmnet.engine.cache import Batch, KVCache
from llmnet.engine.weights import ModelConfig, ModelFiles
from llmnet.kernels import attention_decode, attention_prefill, kv_write
from llmnet.proof import NumericsClass


@dataclass(frozen=True)
class Precision:
    """What a numerics class means here: `weights` is the type of matrices and KV, `residual` that of the
    running sum.

    Norms, RoPE and logits are fp32 in every class.
    """

    weights: torch.dtype
    residual: torch.dtype


PRECISIONS = {
    NumericsClass.FP32: Precision(torch.float32, torch.float32),
    NumericsClass.FP16: Precision(torch.float16, torch.float16),
    NumericsClass.BF16_FP32_RESIDUAL: Precision(torch.bfloat16, torch.float32),
    NumericsClass.BF16: Precision(torch.bfloat16, torch.bfloat16),
}


@dataclass(frozen=True)
class LayerWeights:
    """One decoder layer; matrices are [out, in]."""

    attn_norm: torch.Tensor
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    o: torch.Tensor
    mlp_norm: torch.Tensor
    gate: torch.Tensor
    up: torch.Tensor
    down: torch.Tensor


_FIELDS = {
    "attn_norm": "input_layernorm",
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
# With so few rows the CPU library packs the whole weight matrix first; the transposed product does not, and a
# step over two to four sequences takes a fifth to a third less time.
_FEW_ROWS = 4
LINEARS = ("q", "k", "v", "o", "gate", "up", "down")


class LlamaModel:
    """Weights and forward pass. Immutable: variants are made with `replace_layers`."""

    def __init__(
        self,
        config: ModelConfig,
        embedding: torch.Tensor,
        layers: tuple[LayerWeights, ...],
        norm: torch.Tensor,
        precision: Precision = PRECISIONS[NumericsClass.FP32],
    ) -> None:
        self.config = config
        self.embedding = embedding  # [V, D], also the output matrix
        self.layers = layers
        self.norm = norm
        self.precision = precision
        self.device = embedding.device
        self._cos, self._sin = _rope_tables(config, self.device)

    @classmethod
    def from_files(
        cls,
        files: ModelFiles,
        numerics: NumericsClass = NumericsClass.FP32,
        device: str | torch.device = "cpu",
    ) -> LlamaModel:
        """Wrap the memory-mapped tensors; only classes other than fp32, and other devices, need a copy."""
        precision = PRECISIONS[numerics]

        def load(name: str) -> torch.Tensor:
            tensor = torch.from_numpy(files.array(name))
            return tensor.to(device=device, dtype=torch.float32 if "norm" in name else precision.weights)

        layers = tuple(
            LayerWeights(
                **{field: load(f"model.layers.{i}.{name}.weight") for field, name in _FIELDS.items()}
            )
            for i in range(files.config.num_layers)
        )
        return cls(
            files.config, load("model.embed_tokens.weight"), layers, load("model.norm.weight"), precision
        )

    def replace_layers(
        self, change: Callable[[tuple[LayerWeights, ...]], tuple[LayerWeights, ...]]
    ) -> LlamaModel:
        """The same model with other layers; what is not changed is shared."""
        layers = change(self.layers)
        config = dataclasses.replace(self.config, num_layers=len(layers))
        return LlamaModel(config, self.embedding, layers, self.norm, self.precision)

    def new_cache(self, num_pages: int) -> KVCache:
        """An empty cache that fits this model."""
        config = self.config
        return KVCache(
            config.num_layers,
            num_pages,
            config.num_kv_heads,
            config.head_dim,
            self.precision.weights,
            self.device,
        )

    @torch.inference_mode()
    def forward(self, batch: Batch, cache: KVCache) -> tuple[torch.Tensor, torch.Tensor]:
        """Run one step. Returns final normed hidden states [S, D] and logits [S, V] of the rows to sample,
        both fp32.
        """
        x = F.embedding(batch.token_ids, self.embedding).to(self.precision.residual)
        cos, sin = self._cos[batch.positions, None, :], self._sin[batch.positions, None, :]
        for i, layer in enumerate(self.layers):
            x = x + self._attention(
                layer, self._rms_norm(x, layer.attn_norm), cos, sin, batch, cache.k[i], cache.v[i]
            )
            x = x + self._mlp(layer, self._rms_norm(x, layer.mlp_norm))
        hidden = self._rms_norm(x[batch.sample_rows], self.norm)
        return hidden, self._logits(hidden)

    def _attention(
        self,
        layer: LayerWeights,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        batch: Batch,
        k_cache: torch.Tensor,
        v_cache: torch.Tensor,
    ) -> torch.Tensor:
        head_dim, kind = self.config.head_dim, self.precision.weights
        q = _rope(_linear(x, layer.q).view(len(x), -1, head_dim), cos, sin).to(kind)  # [T, H, head_dim]
        k = _rope(_linear(x, layer.k).view(len(x), -1, head_dim), cos, sin).to(kind)  # [T, HK, head_dim]
        v = _linear(x, layer.v).view(len(x), -1, head_dim)
        kv_write(k, v, k_cache, v_cache, batch.slots)
        out = self._attend(q, batch, k_cache, v_cache)
        return _linear(out.reshape(len(x), -1), layer.o).to(self.precision.residual)

    def _attend(
        self, q: torch.Tensor, batch: Batch, k_cache: torch.Tensor, v_cache: torch.Tensor
    ) -> torch.Tensor:
        scale, n = self.config.head_dim**-0.5, batch.num_decode
        parts = []
        if n:
            parts.append(
                attention_decode(q[:n], k_cache, v_cache, batch.page_table[:n], batch.context_lens[:n], scale)
            )
        if n < len(batch.context_lens):
            tables, lens = batch.page_table[n:], batch.context_lens[n:]
            parts.append(attention_prefill(q[n:], k_cache, v_cache, tables, batch.cu_seqlens, lens, scale))
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _mlp(self, layer: LayerWeights, x: torch.Tensor) -> torch.Tensor:
        gated = F.silu(_linear(x, layer.gate)) * _linear(x, layer.up)
        return _linear(gated, layer.down).to(self.precision.residual)

    def _rms_norm(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x.float(), weight.shape, weight, self.config.rms_norm_eps)

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.precision.weights == torch.float32:
            return _linear(hidden, self.embedding)
        if hidden.is_cuda:  # fp32 accumulation, and fp32 results
            return torch.mm(hidden.to(self.embedding.dtype), self.embedding.t(), out_dtype=torch.float32)
        return F.linear(hidden.to(self.embedding.dtype).float(), self.embedding.float())


def _linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x [T, in] times weight [out, in] transposed, in the weight's type."""
    x = x.to(weight.dtype)
    if 1 < len(x) <= _FEW_ROWS and not x.is_cuda:
        return torch.mm(weight, x.t()).t().contiguous()
    return F.linear(x, weight)


def _rope(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate halves: x [T, heads, head_dim]; cos, sin [T, 1, head_dim] fp32."""
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat((first, second), -1) * cos + torch.cat((-second, first), -1) * sin


def _rope_tables(config: ModelConfig, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin, each [context, head_dim] fp32. Angles in fp64: at position 8,000 an fp32 angle is off by
    5e-4.
    """
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
    angles = torch.outer(
        torch.arange(config.context_length, dtype=torch.float64), config.rope_theta**-exponents
    )
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos().float().to(device), angles.sin().float().to(device)
