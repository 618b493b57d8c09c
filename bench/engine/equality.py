"""Long greedy answers, token by token, beside transformers' `generate` in fp32.

    python -m bench.engine.equality --prompts 20 --tokens 1000

Where the two part, the same forward pass is done in fp64: the gap between both tokens' logits there, and how far
either engine's fp32 logits are from it. Two things may part them. A gap that both errors together can turn around is
rounding. A gap below 1/256 nat is a tie by the protocol, whose tokens are chosen by the log-probabilities that enter
the leaf: the lower id wins. Anything else would be a mistake.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from bench.engine.prompts import PROMPTS
from llmnet.engine import (
    Engine,
    GenerationRequest,
    LlamaModel,
    ModelFiles,
    ensure_default_model,
    service_spec,
)
from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import make_batch
from llmnet.engine.scheduler import Chunk, Sequence
from llmnet.proof import Message, Role

QUANTUM = 1 / 256
"""Nats: the step of log-probabilities in a leaf."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """Where two answers part: how much better fp64 finds transformers' token than ours, and the largest errors of
    both engines' fp32 logits at that place.
    """

    prompt: int
    position: int
    ours: int
    theirs: int
    gap: float
    our_error: float
    their_error: float

    @property
    def tied(self) -> bool:
        """Whether both tokens can have one log-probability in the leaf, of which the lower id wins."""
        return 0 <= self.gap < QUANTUM and self.ours < self.theirs

    @property
    def explained(self) -> bool:
        """Whether a tie or rounding is the reason."""
        return self.tied or abs(self.gap) <= 2 * max(self.our_error, self.their_error)


def endless(files: ModelFiles) -> ModelFiles:
    """The same model, with an end token that it never says: so all answers are as long as asked for."""
    return dataclasses.replace(files, config=dataclasses.replace(files.config, eos_token_id=-1))


def prompt_ids(engine: Engine, count: int) -> list[list[int]]:
    """The first prompts as token ids."""
    return [engine.tokenizer.encode_chat([Message.of(Role.USER, text)]) for text in PROMPTS[:count]]


def our_answers(engine: Engine, prompts: list[list[int]], tokens: int) -> list[list[int]]:
    """Greedy answers of the engine, all in one batch."""
    for number, prompt in enumerate(prompts):
        engine.add(GenerationRequest(str(number), tuple(prompt), 0, tokens, bytes(32)))
    answers: list[list[int]] = [[] for _ in prompts]
    while len(engine):
        for output in engine.step():
            answers[int(output.request_id)] += output.new_tokens
    return answers


def reference_model(files: ModelFiles, dtype: torch.dtype = torch.float32) -> Any:
    """transformers' model of the same files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(files.path, dtype=dtype).eval()


@torch.inference_mode()
def their_answers(model: Any, prompts: list[list[int]], tokens: int) -> list[list[int]]:
    """Greedy answers of `generate`, one batch, shorter prompts padded on their left."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    model.generation_config.eos_token_id = None
    made = model.generate(
        ids,
        attention_mask=mask,
        max_new_tokens=tokens,
        min_new_tokens=tokens,
        do_sample=False,
        pad_token_id=0,
    )
    return [row[width:].tolist() for row in made]


def first_difference(
    files: ModelFiles, model: Any, number: int, prompt: list[int], ours: list[int], theirs: list[int]
) -> Difference | None:
    """None if the answers are equal."""
    for position, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        if mine != other:
            ids = [*prompt, *theirs[:position]]
            exact, their_logits = (
                logits_after(reference_model(files, torch.float64), ids),
                logits_after(model, ids),
            )
            return Difference(
                *(number, position, mine, other),
                gap=float(exact[other] - exact[mine]),
                our_error=float((our_logits(files, ids) - exact).abs().max()),
                their_error=float((their_logits - exact).abs().max()),
            )
    return None


@torch.inference_mode()
def logits_after(model: Any, ids: list[int]) -> torch.Tensor:
    """transformers' logits [V] after `ids`, fp64."""
    return model(torch.tensor([ids])).logits[0, -1].double()


def our_logits(files: ModelFiles, ids: list[int]) -> torch.Tensor:
    """The engine's logits [V] after `ids`, fp64."""
    model, blocks = LlamaModel.from_files(files), BlockManager(-(-len(ids) // 16), 16)
    blocks.grow("it", len(ids))
    batch = make_batch([Chunk(Sequence("it", ids, 1), len(ids))], blocks, model.device)
    return model.forward(batch, model.new_cache(blocks.num_pages))[1][0].double()


def compare(count: int, tokens: int, group: int = 10, first: int = 0) -> dict[str, Any]:
    """Answers to `count` prompts from number `first` on; a report."""
    files = endless(ensure_default_model())
    engine = Engine(
        files, service_spec(files, bytes(32)), max_batch=group, num_pages=group * (-(-tokens // 16) + 16)
    )
    model, prompts = reference_model(files), prompt_ids(engine, first + count)
    differences: list[Difference] = []
    for start in range(first, first + count, group):
        part = prompts[start : start + group]
        ours, theirs = our_answers(engine, part, tokens), their_answers(model, part, tokens)
        for number, (prompt, mine, other) in enumerate(zip(part, ours, theirs, strict=True), start):
            found = first_difference(files, model, number, prompt, mine, other)
            differences += [found] if found else []
            sys.stdout.write(f"prompt {number}: {found or f'{len(mine)} tokens equal'}\n")
            sys.stdout.flush()
    return {
        "prompts": count,
        "tokens": tokens,
        "equal": count - len(differences),
        "differences": [dataclasses.asdict(item) for item in differences],
        "unexplained": sum(not item.explained for item in differences),
    }


def main() -> None:
    """Print one line a prompt and the report; exit status 1 if a difference is not explained by rounding."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engine.equality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--first", type=int, default=0, help="number of the first prompt")
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--group", type=int, default=10, help="prompts in one batch")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = compare(args.prompts, args.tokens, args.group, args.first)
    text = json.dumps(report, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    sys.exit(1 if report["unexplained"] else 0)


if __name__ == "__main__":
    main()
