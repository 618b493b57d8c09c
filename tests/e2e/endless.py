"""A tiny model that never says that its turn is over: its answers are as long as they were asked for."""

from __future__ import annotations

from pathlib import Path

from safetensors.numpy import load_file, save_file

from llmnet.engine import ModelFiles, write_tiny_model
from llmnet.engine.tensor_files import WEIGHTS
from llmnet.engine.weights import seal_model_dir

CONSTANT = 8.0  # embeddings are a quarter: after every layer it is the largest lane


def write_endless_model(directory: Path, seed: int) -> ModelFiles:
    """The tiny model of this seed with one lane of its hidden states held constant, of which every token but the
    ends of a turn has a share in its logit.

    Sessions' seeds are random: of the tiny model's own answers one in forty ends before its twentieth token.
    """
    files = write_tiny_model(directory, seed=seed)
    tensors = load_file(directory / WEIGHTS)
    embeddings = tensors["model.embed_tokens.weight"]  # and the output matrix
    embeddings[:, 0] = CONSTANT
    embeddings[list(files.config.eos_ids), 0] = 0
    tensors["model.norm.weight"][0] = 1
    for name, tensor in tensors.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor[0] = 0
    save_file(tensors, str(directory / WEIGHTS), metadata={"format": "pt"})
    return seal_model_dir(directory)
