"""Models of all families, as transformers saves them, give transformers' logits."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from llmnet.engine import (
    Engine,
    LlamaModel,
    ModelFiles,
    TamperedModelError,
    UnsupportedModelError,
    seal_model_dir,
    service_spec,
)
from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import make_batch
from llmnet.engine.convert import convert_gguf
from llmnet.engine.kernel_operators import KernelOperators
from llmnet.engine.operators import PRECISIONS
from llmnet.engine.rope import RopeTables
from llmnet.engine.scheduler import Chunk, Sequence
from llmnet.engine.tensor_files import INDEX, WEIGHTS
from llmnet.proof import NumericsClass

SIZES = {
    "vocab_size": 274,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"tie_word_embeddings": True}),
    "llama untied": ("Llama", {"tie_word_embeddings": False, "head_dim": 32}),
    "llama with biases": ("Llama", {"attention_bias": True}),
    "llama stretched": ("Llama", {"rope_parameters": LLAMA3}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen2 untied": ("Qwen2", {"tie_word_embeddings": False}),
    "qwen3": ("Qwen3", {"tie_word_embeddings": True, "head_dim": 32}),
    "qwen3 untied": ("Qwen3", {"tie_word_embeddings": False, "head_dim": 16}),
}
TOKENS = [(i * 37 + 11) % 274 for i in range(150)]


def saved(
    tiny: ModelFiles, path: Path, name: str, shard: str = "1GB", dtype: torch.dtype = torch.float32
) -> Any:
    """A random model of a family, saved by transformers into `path` with our tokenizer; returns transformers' own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations
        import transformers

        kind, changes = FAMILIES[name]
        config = getattr(transformers, f"{kind}Config")(**(SIZES | changes))
        torch.manual_seed(3)
        model = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
        with torch.no_grad():
            for parameter_name, parameter in model.named_parameters():
                if parameter.dim() == 1:  # norms and biases that begin as ones and zeros would hide a mistake
                    parameter += 0.3 * torch.randn_like(parameter)
                elif "embed" not in parameter_name:
                    parameter *= 4
        model.to(dtype).save_pretrained(path, max_shard_size=shard)
    for file in ("tokenizer.json", "chat_template.jinja"):
        (path / file).write_bytes(tiny.read_bytes(file))
    return model


def logits(
    files: ModelFiles, chunks: list[int], *, invariant: bool = True, model: LlamaModel | None = None
) -> torch.Tensor:
    """Logits [T, V] of TOKENS, fed in chunks."""
    model = model or LlamaModel.from_files(files, invariant=invariant)
    blocks, cache, sequence = BlockManager(16, 16), model.new_cache(16), Sequence("s", list(TOKENS), 1)
    blocks.grow("s", len(TOKENS))
    parts = []
    for count in chunks:
        batch = make_batch([Chunk(sequence, count)], blocks, model.device)
        parts.append(model.forward(dataclasses.replace(batch, sample_rows=torch.arange(count)), cache)[1])
        sequence.num_computed += count
    return torch.cat(parts)


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_equal_transformers(tiny: ModelFiles, tmp_path: Path, name: str) -> None:
    reference = saved(tiny, tmp_path, name)
    files = seal_model_dir(tmp_path)
    with torch.inference_mode():
        expected = reference(torch.tensor([TOKENS])).logits[0]
    assert expected.std() > 0.1
    whole = logits(files, [150])
    torch.testing.assert_close(whole, expected, atol=2e-4, rtol=0)
    assert torch.equal(logits(files, [70, 1, 79]), whole)
    torch.testing.assert_close(logits(files, [150], invariant=False), expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_shards_of_sixteen_bits_are_read_where_they_lie(
    tiny: ModelFiles, tmp_path: Path, dtype: torch.dtype
) -> None:
    kind = type(saved(tiny, tmp_path, "qwen3 untied", shard="60KB", dtype=dtype))
    assert len(json.loads((tmp_path / INDEX).read_text())["weight_map"]) > 1
    assert not (tmp_path / WEIGHTS).exists()
    files = seal_model_dir(tmp_path)
    with torch.inference_mode():
        expected = kind.from_pretrained(tmp_path, dtype=torch.float32)(torch.tensor([TOKENS])).logits[0]
    torch.testing.assert_close(logits(files, [150]), expected, atol=2e-4, rtol=0)
    name = "model.layers.1.mlp.up_proj.weight"
    np.testing.assert_array_equal(files.array(name), files.tensor(name).float().numpy())
    assert files.tensor(name).dtype == dtype


def test_a_shard_that_was_changed_or_lost_is_noticed(tiny: ModelFiles, tmp_path: Path) -> None:
    from llmnet.engine import ModelNotFoundError, load_model_dir

    saved(tiny, tmp_path, "llama", shard="60KB")
    seal_model_dir(tmp_path)
    shard = sorted(tmp_path.glob("model-*.safetensors"))[0]
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(TamperedModelError, match=shard.name):
        load_model_dir(tmp_path)
    shard.unlink()
    with pytest.raises(ModelNotFoundError, match=shard.name):
        load_model_dir(tmp_path)


@pytest.mark.parametrize(
    "index", ["{", "{}", '{"weight_map": {"a": "../model.safetensors"}}', '{"weight_map": {}}']
)
def test_a_senseless_index_is_refused(tiny: ModelFiles, tmp_path: Path, index: str) -> None:
    saved(tiny, tmp_path, "llama", shard="60KB")
    (tmp_path / INDEX).write_text(index)
    with pytest.raises(TamperedModelError, match="index"):
        seal_model_dir(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}, "yarn"),
        ("llama", {"mlp_bias": True}, "mlp_bias"),
        ("qwen2", {"use_sliding_window": True}, "use_sliding_window"),
        ("qwen3", {"layer_types": ["sliding_attention", "full_attention"]}, "layer_types"),
        ("qwen3", {"hidden_act": "gelu"}, "hidden_act"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantization_config"),
        ("llama", {"num_key_value_heads": 3}, "heads"),
        ("qwen2", {"model_type": "llama"}, "no place"),
    ],
)
def test_what_is_not_supported_is_named(
    tiny: ModelFiles, tmp_path: Path, name: str, change: dict[str, Any], said: str
) -> None:
    saved(tiny, tmp_path, name)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UnsupportedModelError, match=said):
        seal_model_dir(tmp_path)


def test_odd_sizes_are_refused_by_the_cpu_kernels(tiny: ModelFiles, tmp_path: Path) -> None:
    FAMILIES["odd"] = ("Llama", {"head_dim": 24})
    saved(tiny, tmp_path, "odd")
    del FAMILIES["odd"]
    files = seal_model_dir(tmp_path)
    with pytest.raises(UnsupportedModelError, match="heads of 24"):
        Engine(files, service_spec(files, bytes(32)))


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
Q = gguf.GGMLQuantizationType


def as_gguf(name: str) -> str:
    stem, _, end = name.rpartition(".")
    if stem.startswith("model.layers."):
        _, _, layer, rest = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[rest]}.{end}"
    return f"{GGUF_NAMES[stem]}.{end}"


def write_gguf(
    files: ModelFiles, path: Path, pack: Callable[[str, np.ndarray], tuple[np.ndarray, Q]], pre: str = "qwen2"
) -> None:
    """The model as llama.cpp would store it; `pack` gives the bytes of a matrix and their type."""
    c = files.config
    model = json.loads(files.read_bytes("tokenizer.json"))["model"]
    writer = gguf.GGUFWriter(str(path), c.family)
    writer.add_block_count(c.num_layers)
    writer.add_context_length(c.context_length)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_heads)
    writer.add_head_count_kv(c.num_kv_heads)
    writer.add_key_length(c.head_dim)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_rope_freq_base(c.rope_theta)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(sorted(model["vocab"], key=model["vocab"].__getitem__))
    writer.add_token_types([3] * 3 + [1] * (len(model["vocab"]) - 3))
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_eos_token_id(c.eos_token_id)
    writer.add_chat_template(files.read_bytes("chat_template.jinja").decode())
    for name in files.tensors:
        values = np.array(files.array(name))
        if c.family == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = c.num_heads if "q_proj" in name else c.num_kv_heads
            values = values.reshape(heads, 2, -1, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)
        data, kind = pack(name, values) if values.ndim == 2 else (values, Q.F32)
        writer.add_tensor(as_gguf(name), data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantised(kind: Q) -> Callable[[str, np.ndarray], tuple[np.ndarray, Q]]:
    return lambda name, values: (gguf.quants.quantize(values, kind), kind)


@pytest.mark.parametrize("name", ["llama untied", "qwen2", "qwen3"])
def test_gguf_of_a_family_is_the_model(tiny: ModelFiles, tmp_path: Path, name: str) -> None:
    saved(tiny, tmp_path / "hf", name)
    files = seal_model_dir(tmp_path / "hf")
    write_gguf(files, tmp_path / "m.gguf", quantised(Q.F32))
    (tmp_path / "out").mkdir()
    convert_gguf(tmp_path / "m.gguf", tmp_path / "out", lambda _: None)
    made = seal_model_dir(tmp_path / "out")
    for tensor in made.tensors:
        np.testing.assert_array_equal(made.array(tensor), files.array(tensor))
    assert made.tensors.keys() == files.tensors.keys()
    assert dataclasses.replace(made.config, rope_theta=files.config.rope_theta) == files.config
    assert torch.equal(logits(made, [150]), logits(files, [150]))


def random_blocks(kind: Q) -> Callable[[str, np.ndarray], tuple[np.ndarray, Q]]:
    """Blocks with small finite scales and random rest, for formats that the library only reads."""
    scales = {Q.Q4_K: [0, 2], Q.Q6_K: [208]}[kind]

    def pack(name: str, values: np.ndarray) -> tuple[np.ndarray, Q]:
        block, size = gguf.GGML_QUANT_SIZES[kind]
        rows = np.random.default_rng(5).integers(
            0, 256, (len(values), values.shape[1] // block, size), np.uint8
        )
        for at in scales:
            rows[..., at : at + 2] = np.full(rows.shape[:2], 0.002, np.float16)[..., None].view(np.uint8)
        return rows.reshape(len(values), -1), kind

    return pack


@pytest.mark.parametrize("kind", [Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q4_K, Q.Q6_K])
def test_gguf_is_dequantised_once_and_exactly(tiny: ModelFiles, tmp_path: Path, kind: Q) -> None:
    FAMILIES["wide"] = ("Qwen2", {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1})
    saved(tiny, tmp_path / "hf", "wide")
    del FAMILIES["wide"]
    files = seal_model_dir(tmp_path / "hf")
    pack = random_blocks(kind) if kind in (Q.Q4_K, Q.Q6_K) else quantised(kind)
    write_gguf(files, tmp_path / "m.gguf", pack)
    (tmp_path / "out").mkdir()
    convert_gguf(tmp_path / "m.gguf", tmp_path / "out", lambda _: None)
    made = seal_model_dir(tmp_path / "out")
    for name in made.tensors:
        values = files.array(name)
        if values.ndim == 2:
            values = gguf.dequantize(*pack(name, values))
        np.testing.assert_array_equal(made.array(name), values)
    assert bool(torch.isfinite(logits(made, [150])).all())


def test_a_gguf_format_that_is_not_known_is_named(tiny: ModelFiles, tmp_path: Path) -> None:
    saved(tiny, tmp_path / "hf", "qwen2")
    write_gguf(seal_model_dir(tmp_path / "hf"), tmp_path / "m.gguf", quantised(Q.Q5_0))
    with pytest.raises(UnsupportedModelError, match="Q5_0"):
        convert_gguf(tmp_path / "m.gguf", tmp_path, lambda _: None)


def test_a_gguf_tokenizer_rule_that_is_not_known_is_named(tiny: ModelFiles, tmp_path: Path) -> None:
    saved(tiny, tmp_path / "hf", "qwen2")
    write_gguf(seal_model_dir(tmp_path / "hf"), tmp_path / "m.gguf", quantised(Q.F32), pre="viking")
    with pytest.raises(UnsupportedModelError, match="viking"):
        convert_gguf(tmp_path / "m.gguf", tmp_path, lambda _: None)


@pytest.mark.parametrize("length", [0, 3, 200, 3000, -1000])
def test_a_truncated_gguf_is_refused(tiny: ModelFiles, tmp_path: Path, length: int) -> None:
    saved(tiny, tmp_path / "hf", "qwen2")
    write_gguf(seal_model_dir(tmp_path / "hf"), tmp_path / "m.gguf", quantised(Q.F32))
    content = (tmp_path / "m.gguf").read_bytes()
    (tmp_path / "m.gguf").write_bytes(content[:length])
    with pytest.raises(TamperedModelError, match="GGUF"):
        convert_gguf(tmp_path / "m.gguf", tmp_path, lambda _: None)


def test_a_gguf_with_another_hash_is_refused(tiny: ModelFiles, tmp_path: Path) -> None:
    saved(tiny, tmp_path / "hf", "qwen2")
    write_gguf(seal_model_dir(tmp_path / "hf"), tmp_path / "m.gguf", quantised(Q.F32))
    with pytest.raises(TamperedModelError, match="expected 00"):
        convert_gguf(tmp_path / "m.gguf", tmp_path, lambda _: None, sha256="00" * 32)


@pytest.mark.parametrize("name", ["llama with biases", "qwen3 untied"])
@pytest.mark.parametrize(
    "numerics", [NumericsClass.FP16, NumericsClass.BF16_FP32_RESIDUAL, NumericsClass.BF16]
)
def test_the_gpus_operators_compute_the_same_model(
    tiny: ModelFiles, tmp_path: Path, name: str, numerics: NumericsClass
) -> None:
    """On a CPU they run the kernels' references: near the emulation, and much farther from another model."""
    saved(tiny, tmp_path, name)
    files = seal_model_dir(tmp_path)
    model = LlamaModel.from_files(files, numerics)
    near = logits(files, [70, 1, 79], model=model)
    precision = PRECISIONS[numerics]
    model.operators = KernelOperators(files.config, precision, RopeTables(files.config, model.device))
    made = logits(files, [70, 1, 79], model=model)
    assert (made - near).abs().mean() < 0.05 * near.std()
    model.operators = KernelOperators(
        dataclasses.replace(files.config, rms_norm_eps=1.0), precision, RopeTables(files.config, model.device)
    )
    assert (logits(files, [150], model=model) - near).abs().mean() > 0.05 * near.std()
