"""GGUF of a Llama, Qwen2 or Qwen3 model -> a directory of fp32 safetensors, config and tokenizer.

Needs no torch. The dequantised numbers *are* the model that is registered and sold: their Merkle root is
pinned, so the conversion has to give the same bytes everywhere (it is plain IEEE fp32 multiplication and
addition per element).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llmnet.engine.bpe import write_gguf_tokenizer
from llmnet.engine.download import sha256_file
from llmnet.engine.errors import ModelNotFoundError, TamperedModelError, UnsupportedModelError
from llmnet.engine.files import write_json

# safetensors' own order and framing are irrelevant to the weights root, which is over sorted names.
_LAYER_NAMES = {
    "attn_norm.weight": "input_layernorm.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
    "attn_q.bias": "self_attn.q_proj.bias",
    "attn_k.bias": "self_attn.k_proj.bias",
    "attn_v.bias": "self_attn.v_proj.bias",
    "attn_q_norm.weight": "self_attn.q_norm.weight",
    "attn_k_norm.weight": "self_attn.k_norm.weight",
    "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight",
    "ffn_down.weight": "mlp.down_proj.weight",
}
_TOP_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
# What may be stored: exact types, and the block formats that people publish.
_STORED = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K")
Progress = Callable[[str], None]


def convert_gguf(source: Path, destination: Path, progress: Progress, *, sha256: str | None = None) -> None:
    """Write `model.safetensors`, `config.json`, `tokenizer.json` and `chat_template.jinja` into
    `destination`.

    Raises `ModelNotFoundError`, `TamperedModelError` (another hash than `sha256`, or not a whole GGUF file) and
    `UnsupportedModelError` (another architecture, tokenizer or block format).
    """
    if not source.is_file():
        raise ModelNotFoundError(f"{source} does not exist")
    if sha256 is not None and (found := sha256_file(source)) != sha256:
        raise TamperedModelError(f"{source}: sha256 {found}, expected {sha256}")
    reader = _reader(source)
    fields = {key: field.contents() for key, field in reader.fields.items()}
    family = fields.get("general.architecture")
    if family not in _CLASSES or fields.get("tokenizer.ggml.model") != "gpt2":
        raise UnsupportedModelError(
            f"{source}: only Llama and Qwen GGUF files with a GPT-2 style tokenizer can be converted"
        )
    try:
        config = _config(
            fields, family, tied="output.weight" not in {tensor.name for tensor in reader.tensors}
        )
        template = fields["tokenizer.chat_template"]
    except (KeyError, TypeError, ValueError) as error:
        raise UnsupportedModelError(f"{source}: its metadata lacks {error}") from error
    write_json(destination / "config.json", config)
    (destination / "chat_template.jinja").write_text(template, encoding="utf-8")
    write_gguf_tokenizer(fields, destination)
    _write_tensors(reader, config, destination / "model.safetensors", progress)


def _reader(source: Path) -> Any:
    from gguf import GGUFReader

    try:
        return GGUFReader(str(source))
    except (ValueError, KeyError, IndexError, OverflowError, UnicodeDecodeError) as error:
        raise TamperedModelError(f"{source} is not a whole GGUF file: {error}") from error


def llama_config(
    *,
    vocab: int,
    hidden: int,
    intermediate: int,
    layers: int,
    heads: int,
    kv_heads: int,
    context: int,
    rope_theta: float,
) -> dict[str, Any]:
    """A `config.json` as Hugging Face's `LlamaForCausalLM` reads it; tied embeddings, no biases."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocab,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": hidden // heads,
        "hidden_act": "silu",
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-5,
        "rope_theta": rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": rope_theta},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "torch_dtype": "float32",
    }


def _config(fields: dict[str, Any], family: str, *, tied: bool) -> dict[str, Any]:
    heads = fields[f"{family}.attention.head_count"]
    hidden = fields[f"{family}.embedding_length"]
    if fields.get(f"{family}.rope.scaling.type", "none") != "none":
        raise ValueError(f"rope scaling {fields[f'{family}.rope.scaling.type']!r}, which is not supported")
    config = llama_config(
        vocab=fields.get(f"{family}.vocab_size") or len(fields["tokenizer.ggml.tokens"]),
        hidden=hidden,
        intermediate=fields[f"{family}.feed_forward_length"],
        layers=fields[f"{family}.block_count"],
        heads=heads,
        kv_heads=fields.get(f"{family}.attention.head_count_kv") or heads,
        context=fields[f"{family}.context_length"],
        rope_theta=float(fields.get(f"{family}.rope.freq_base", 10_000.0)),
    )
    changes = {
        "architectures": [_CLASSES[family]],
        "model_type": family,
        "head_dim": fields.get(f"{family}.attention.key_length") or hidden // heads,
        # Stored as fp32; the number meant has few digits.
        "rms_norm_eps": float(f"{fields.get(f'{family}.attention.layer_norm_rms_epsilon', 1e-5):.6g}"),
        "tie_word_embeddings": tied,
        "bos_token_id": fields.get("tokenizer.ggml.bos_token_id", 1),
        "eos_token_id": fields.get("tokenizer.ggml.eos_token_id", 2),
    }
    return config | changes


def _write_tensors(reader: Any, config: dict[str, Any], path: Path, progress: Progress) -> None:
    from safetensors.numpy import save_file

    tensors = dict(_tensors(reader, config, progress))
    save_file(tensors, str(path), metadata={"format": "pt"})


def _tensors(
    reader: Any, config: dict[str, Any], progress: Progress
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    from gguf import dequantize

    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    for count, tensor in enumerate(reader.tensors, 1):
        if tensor.tensor_type.name not in _STORED:
            raise UnsupportedModelError(
                f"tensor {tensor.name} is stored as {tensor.tensor_type.name}; known are {', '.join(_STORED)}"
            )
        shape = tuple(int(n) for n in tensor.shape[::-1])  # GGUF lists the fastest dimension first
        values = dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        if config["model_type"] != "llama":  # the others are stored as they are
            pass
        elif tensor.name.endswith("attn_q.weight"):
            values = undo_rope_permutation(values, heads)
        elif tensor.name.endswith("attn_k.weight"):
            values = undo_rope_permutation(values, kv_heads)
        if count % 90 == 0 or count == len(reader.tensors):
            progress(f"dequantised {count} of {len(reader.tensors)} tensors")
        yield _hf_name(tensor.name), np.ascontiguousarray(values, dtype=np.float32)


def undo_rope_permutation(rows: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp interleaves the two halves of each head's rows of Q and K; rotate-half RoPE wants them apart.

    `rows` [heads * head_dim, D] -> same shape.
    """
    pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, rows.shape[1])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def _hf_name(name: str) -> str:
    if name in _TOP_NAMES:
        return _TOP_NAMES[name]
    block, _, rest = name.removeprefix("blk.").partition(".")
    if not name.startswith("blk.") or not block.isdigit() or rest not in _LAYER_NAMES:
        raise UnsupportedModelError(f"unknown tensor {name!r} in the GGUF file")
    return f"model.layers.{block}.{_LAYER_NAMES[rest]}"
