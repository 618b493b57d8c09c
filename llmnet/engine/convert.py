"""GGUF of a Llama-family model -> a directory of fp32 safetensors, config and tokenizer.

Needs no torch. The dequantised numbers *are* the model that is registered and sold: their Merkle root is
pinned, so the conversion has to give the same bytes everywhere (it is plain IEEE fp32 multiplication and
addition per element).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llmnet.engine.errors import UnsupportedModelError

# safetensors' own order and framing are irrelevant to the weights root, which is over sorted names.
_LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TOP_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_CONTROL_TOKEN = 3
Progress = Callable[[str], None]


def convert_gguf(source: Path, destination: Path, progress: Progress) -> None:
    """Write `model.safetensors`, `config.json`, `tokenizer.json` and `chat_template.jinja` into
    `destination`.

    Raises `UnsupportedModelError` if the file is not a Llama-family model with a GPT-2 style tokenizer.
    """
    from gguf import GGUFReader

    reader = GGUFReader(str(source))
    fields = {key: field.contents() for key, field in reader.fields.items()}
    if fields.get("general.architecture") != "llama" or fields.get("tokenizer.ggml.model") != "gpt2":
        raise UnsupportedModelError(
            f"{source}: only Llama-family GGUF files with a GPT-2 style tokenizer can be converted"
        )
    config = _config(fields)
    write_json(destination / "config.json", config)
    (destination / "chat_template.jinja").write_text(fields["tokenizer.chat_template"], encoding="utf-8")
    _write_tokenizer(fields, destination)
    _write_tensors(reader, config, destination / "model.safetensors", progress)


def write_json(path: Path, value: Any) -> None:
    """Deterministic JSON, so that its hash means something."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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


def _config(fields: dict[str, Any]) -> dict[str, Any]:
    return llama_config(
        vocab=fields["llama.vocab_size"],
        hidden=fields["llama.embedding_length"],
        intermediate=fields["llama.feed_forward_length"],
        layers=fields["llama.block_count"],
        heads=fields["llama.attention.head_count"],
        kv_heads=fields["llama.attention.head_count_kv"],
        context=fields["llama.context_length"],
        rope_theta=float(fields["llama.rope.freq_base"]),
    )


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
        shape = tuple(int(n) for n in tensor.shape[::-1])  # GGUF lists the fastest dimension first
        values = dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        if tensor.name.endswith("attn_q.weight"):
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
    parts = name.split(".")
    if len(parts) != 4 or parts[0] != "blk" or parts[2] not in _LAYER_NAMES or parts[3] != "weight":
        raise UnsupportedModelError(f"unknown tensor {name!r} in the GGUF file")
    return f"model.layers.{parts[1]}.{_LAYER_NAMES[parts[2]]}.weight"


def _write_tokenizer(fields: dict[str, Any], destination: Path) -> None:
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    merges = [merge_pair(line) for line in fields["tokenizer.ggml.merges"]]
    write_tokenizer(destination, {token: i for i, token in enumerate(tokens)}, merges, special)


def merge_pair(line: str) -> tuple[str, str]:
    """One line of a BPE merge list."""
    left, _, right = line.partition(" ")
    return left, right


def write_tokenizer(
    destination: Path, vocab: dict[str, int], merges: list[tuple[str, str]], special: list[str]
) -> None:
    """Write `tokenizer.json` (GPT-2 byte-level BPE, digits one by one) and the small file that transformers
    wants beside it.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<|endoftext|>"))  # noqa: S106 (not that kind of token)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(destination / "tokenizer.json"))
    write_json(
        destination / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>",
            "unk_token": "<|endoftext|>",
            "pad_token": "<|im_end|>",
            "clean_up_tokenization_spaces": False,
        },
    )
