"""The numbers and switches of a decoder, from `config.json`: the Llama, Qwen2 and Qwen3 families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmnet.engine.errors import UnsupportedModelError

FAMILIES = ("llama", "qwen2", "qwen3")


@dataclass(frozen=True)
class RopeScaling:
    """Llama 3's way of stretching rotary frequencies to a longer context."""

    factor: float
    low_frequency: float
    high_frequency: float
    original_context: int


@dataclass(frozen=True)
class ModelConfig:
    """A decoder with RMS norms, rotary embedding in halves, grouped-query attention and SwiGLU."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    context_length: int
    eos_token_id: int
    more_eos_ids: tuple[int, ...] = ()
    bos_token_id: int | None = None
    family: str = "llama"
    tied: bool = True  # the embedding is the output matrix, too
    qkv_bias: bool = False
    o_bias: bool = False
    head_norm: bool = False  # q and k are normed head by head
    rope_scaling: RopeScaling | None = None

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        return frozenset((self.eos_token_id, *self.more_eos_ids))


def parse_config(raw: Mapping[str, Any], where: object) -> ModelConfig:
    """Check a `config.json`. `where` is for messages. Raises `UnsupportedModelError` that says which setting."""
    family = raw.get("model_type")
    if family not in FAMILIES:
        raise UnsupportedModelError(
            f"{where}: model_type {family!r} is not supported, only {', '.join(FAMILIES)}"
        )
    _refuse_the_unknown(raw, where)
    try:
        return _config(raw, family)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise UnsupportedModelError(f"{where}: {error!r}") from error


def _refuse_the_unknown(raw: Mapping[str, Any], where: object) -> None:
    unknown = {
        "hidden_act": raw.get("hidden_act", "silu") != "silu",
        "mlp_bias": bool(raw.get("mlp_bias")),
        "use_sliding_window": bool(raw.get("use_sliding_window")),
        "quantization_config": raw.get("quantization_config") is not None,
        "layer_types": any(kind != "full_attention" for kind in raw.get("layer_types") or ()),
    }
    for name, found in unknown.items():
        if found:
            raise UnsupportedModelError(f"{where}: {name} {raw.get(name)!r} is not supported")


def _config(raw: Mapping[str, Any], family: str) -> ModelConfig:
    heads = int(raw["num_attention_heads"])
    ends = raw["eos_token_id"] if isinstance(raw["eos_token_id"], list) else [raw["eos_token_id"]]
    rope = raw.get("rope_parameters") or {}
    config = ModelConfig(
        vocab_size=int(raw["vocab_size"]),
        hidden_size=int(raw["hidden_size"]),
        intermediate_size=int(raw["intermediate_size"]),
        num_layers=int(raw["num_hidden_layers"]),
        num_heads=heads,
        num_kv_heads=int(raw.get("num_key_value_heads") or heads),
        head_dim=int(raw.get("head_dim") or int(raw["hidden_size"]) // heads),
        rms_norm_eps=float(raw["rms_norm_eps"]),
        rope_theta=float(raw.get("rope_theta") or rope["rope_theta"]),
        context_length=int(raw["max_position_embeddings"]),
        eos_token_id=int(ends[0]),
        more_eos_ids=tuple(int(end) for end in ends[1:]),
        bos_token_id=None if raw.get("bos_token_id") is None else int(raw["bos_token_id"]),
        family=family,
        tied=bool(raw.get("tie_word_embeddings", False)),
        # Qwen2 always has them and no setting that says so.
        qkv_bias=family == "qwen2" or bool(raw.get("attention_bias")),
        o_bias=family != "qwen2" and bool(raw.get("attention_bias")),
        head_norm=family == "qwen3",
        rope_scaling=_rope_scaling(raw.get("rope_scaling") or rope),
    )
    if config.num_heads % config.num_kv_heads or config.head_dim % 2:
        raise ValueError(
            f"{config.num_heads} heads of {config.head_dim} do not divide into {config.num_kv_heads}"
        )
    return config


def _rope_scaling(raw: Mapping[str, Any]) -> RopeScaling | None:
    kind = raw.get("rope_type", raw.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3":
        raise ValueError(f"rope scaling {kind!r} is not supported, only 'llama3'")
    return RopeScaling(
        factor=float(raw["factor"]),
        low_frequency=float(raw["low_freq_factor"]),
        high_frequency=float(raw["high_freq_factor"]),
        original_context=int(raw["original_max_position_embeddings"]),
    )


def layer_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of one decoder layer, by the name that follows `model.layers.<i>.`."""
    hidden, middle = config.hidden_size, config.intermediate_size
    rows, kv_rows = config.num_heads * config.head_dim, config.num_kv_heads * config.head_dim
    shapes: dict[str, tuple[int, ...]] = {
        "input_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (rows, hidden),
        "self_attn.k_proj.weight": (kv_rows, hidden),
        "self_attn.v_proj.weight": (kv_rows, hidden),
        "self_attn.o_proj.weight": (hidden, rows),
        "post_attention_layernorm.weight": (hidden,),
        "mlp.gate_proj.weight": (middle, hidden),
        "mlp.up_proj.weight": (middle, hidden),
        "mlp.down_proj.weight": (hidden, middle),
    }
    if config.qkv_bias:
        shapes |= {f"self_attn.{name}_proj.bias": (rows if name == "q" else kv_rows,) for name in "qkv"}
    if config.o_bias:
        shapes["self_attn.o_proj.bias"] = (hidden,)
    if config.head_norm:
        shapes |= {f"self_attn.{name}_norm.weight": (config.head_dim,) for name in "qk"}
    return shapes


def expected_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor the model must have, with its shape."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, config.hidden_size),
        "model.norm.weight": (config.hidden_size,),
    }
    if not config.tied:
        shapes["lm_head.weight"] = (config.vocab_size, config.hidden_size)
    for layer in range(config.num_layers):
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in layer_shapes(config).items()}
    return shapes
