"""Tokens in; tokens, text and leaves out (life of a request: `engine.py`; errors: `errors.py`).

Model files  ensure_default_model() -> ModelFiles; load_model_dir(path, verify=False); seal_model_dir(path)
             weights_root(path) -> bytes; service_spec(files, graph_hash, numerics=FP32, ...) -> ServiceSpec
             write_tiny_model(dir, seed) -> ModelFiles: random, two layers, same layout; for tests
Text         Tokenizer(files).encode_chat(messages) -> ids; .decode(ids); Detokenizer; TextStream
             answer_text(tokenizer, ids, stop): the text that output tokens stand for
             token_logprob(leaf, tokenizer, top) -> TokenLogprob: what a leaf says, as OpenAI's interface reports it
Generation   Engine(files, spec, ...).add(GenerationRequest) / .step() -> [Output] / .abort(id) / .score(...)
             AsyncEngine(engine): async for output in .generate(request)
Variants     quantise_int8(model), skip_layer(model, index): what a cheat runs; Engine(..., model=variant)

Only names of the last two groups need torch; it is imported when one of them is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmnet.engine.default_model import cache_dir, ensure_default_model
from llmnet.engine.errors import (
    ContextLengthError,
    DownloadError,
    DuplicateRequestError,
    EngineClosedError,
    EngineError,
    IntegrityError,
    ModelError,
    ModelNotFoundError,
    NumericsError,
    PromptError,
    RequestError,
    TamperedModelError,
    UnsupportedModelError,
)
from llmnet.engine.logprobs import TokenLogprob, token_logprob
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.request import GenerationRequest, Output
from llmnet.engine.tensor_files import TensorInfo
from llmnet.engine.text import TextStream, answer_text
from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.tokenizer import Detokenizer, Tokenizer
from llmnet.engine.weights import (
    ModelFiles,
    load_model_dir,
    seal_model_dir,
    service_spec,
    weights_root,
)

if TYPE_CHECKING:
    from llmnet.engine.async_engine import AsyncEngine
    from llmnet.engine.engine import Engine
    from llmnet.engine.model import LlamaModel
    from llmnet.engine.variants import quantise_int8, skip_layer

_NEED_TORCH = {
    "AsyncEngine": "async_engine",
    "Engine": "engine",
    "LlamaModel": "model",
    "quantise_int8": "variants",
    "skip_layer": "variants",
}

__all__ = [
    "AsyncEngine",
    "ContextLengthError",
    "Detokenizer",
    "DownloadError",
    "DuplicateRequestError",
    "Engine",
    "EngineClosedError",
    "EngineError",
    "GenerationRequest",
    "IntegrityError",
    "LlamaModel",
    "ModelConfig",
    "ModelError",
    "ModelFiles",
    "ModelNotFoundError",
    "NumericsError",
    "Output",
    "PromptError",
    "RequestError",
    "TamperedModelError",
    "TensorInfo",
    "TextStream",
    "TokenLogprob",
    "Tokenizer",
    "UnsupportedModelError",
    "answer_text",
    "cache_dir",
    "ensure_default_model",
    "load_model_dir",
    "quantise_int8",
    "seal_model_dir",
    "service_spec",
    "skip_layer",
    "token_logprob",
    "weights_root",
    "write_tiny_model",
]


def __getattr__(name: str) -> Any:
    if name in _NEED_TORCH:
        return getattr(import_module(f"llmnet.engine.{_NEED_TORCH[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
