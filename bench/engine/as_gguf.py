"""A model directory as a GGUF file in fp32, for the engines that read nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np

from llmnet.engine import ModelFiles
from llmnet.engine.convert import _LAYER_NAMES, _TOP_NAMES

_NAMES = {value: key for key, value in (_LAYER_NAMES | _TOP_NAMES).items()}


def write_gguf(files: ModelFiles, path: Path) -> None:
    """Write a plain Llama model; rows of Q and K are interleaved as llama.cpp wants them."""
    c, model = files.config, json.loads(files.read_bytes("tokenizer.json"))["model"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(c.num_layers)
    writer.add_context_length(c.context_length)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_heads)
    writer.add_head_count_kv(c.num_kv_heads)
    writer.add_rope_dimension_count(c.head_dim)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_rope_freq_base(c.rope_theta)
    writer.add_vocab_size(c.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(sorted(model["vocab"], key=model["vocab"].__getitem__))
    writer.add_token_types([gguf.TokenType.NORMAL] * len(model["vocab"]))
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_eos_token_id(c.eos_token_id)
    for name in files.tensors:
        writer.add_tensor(_gguf_name(name), _interleaved(files, name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_NAMES[rest]}"


def _interleaved(files: ModelFiles, name: str) -> np.ndarray:
    values = np.asarray(files.array(name))
    heads = {"q_proj": files.config.num_heads, "k_proj": files.config.num_kv_heads}
    for part, count in heads.items():
        if f"{part}.weight" in name:
            halves = values.reshape(count, 2, -1, values.shape[1])
            return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(values.shape))
    return values
