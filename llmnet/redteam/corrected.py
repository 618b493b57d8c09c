"""Forged states: a cheap model's hidden state moved to where the promised model's probably is.

The worker runs both models over some texts of its own, learns how they differ, and from then on only the cheap one. Signs
are new for each request, so what can be learned is the state, not the sketch: the expected squared lane distance is the
squared distance of the states over D.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from llmnet.engine.leaves import LeafBuilder, Wanted
from llmnet.engine.model import LlamaModel
from llmnet.measure import Job
from llmnet.proof import Leaf, NonFiniteError
from llmnet.redteam.shop import Shop
from llmnet.redteam.states import states

Answers = dict[str, tuple[Leaf, ...]]
Maker = Callable[[Sequence[Job]], Answers]
Correct = Callable[[Sequence[torch.Tensor]], torch.Tensor]
"""From the states [T, D] of the cheap models to the ones to show."""
LESSONS = 80
_RIDGE = 3e-2
_STEPS, _RATE = 300, 0.05


def by_regression(cheap: str) -> Callable[[Shop], Maker]:
    """Ridge regression from the cheap model's state to the honest one's."""
    return lambda shop: _forger(shop, [cheap], _regress)


def by_descent(cheap: str, second: str) -> Callable[[Shop], Maker]:
    """Two cheap models' states, mixed dimension by dimension, the weights moved along the distance's gradient."""
    return lambda shop: _forger(shop, [cheap, second], _descend)


def _forger(
    shop: Shop, names: Sequence[str], learn: Callable[[list[torch.Tensor], torch.Tensor], Correct]
) -> Maker:
    models = [shop.model(name) for name in names]
    lessons = [job.prompt_ids for job in shop.jobs(skip=shop.answers, count=LESSONS)]
    truth = torch.cat([states(shop.honest, text) for text in lessons])
    seen = [torch.cat([states(model, text) for text in lessons]) for model in models]
    correct = learn(seen, truth)
    sold = {recording.id: recording.tokens for recording in shop.file(names[0])}
    builder = LeafBuilder(shop.spec, shop.files.config.hidden_size, shop.honest.device)

    def make(jobs: Sequence[Job]) -> Answers:
        return {job.id: _leaves(shop, models, correct, builder, job, sold[job.id]) for job in jobs}

    return make


def _leaves(
    shop: Shop,
    models: Sequence[LlamaModel],
    correct: Correct,
    builder: LeafBuilder,
    job: Job,
    sold: Sequence[int],
) -> tuple[Leaf, ...]:
    text = (*job.prompt_ids, *sold[:-1])
    rows = slice(len(job.prompt_ids) - 1, None)
    hidden = correct([states(model, text)[rows] for model in models]).contiguous()
    logits = shop.honest.operators.logits(hidden, shop.honest.head)
    wanted = [Wanted(place, job.request_seed, token=token) for place, token in enumerate(sold)]
    leaves = builder.build(hidden, logits, wanted)
    if not all(isinstance(leaf, Leaf) for leaf in leaves):
        raise NonFiniteError("a corrected state is not finite")
    return tuple(leaf for leaf in leaves if isinstance(leaf, Leaf))


def _regress(seen: list[torch.Tensor], truth: torch.Tensor) -> Correct:
    """The difference is regressed, so that with no lessons nothing would be changed."""
    x, y = seen[0].double(), (truth - seen[0]).double()
    centre, offset = x.mean(dim=0), y.mean(dim=0)
    gram = (x - centre).T @ (x - centre)
    ridge = _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weights = torch.linalg.solve(gram + ridge, (x - centre).T @ (y - offset))
    return lambda found: (found[0] + offset + (found[0].double() - centre) @ weights).float()


def _descend(seen: list[torch.Tensor], truth: torch.Tensor) -> Correct:
    """Gradient descent (Adam) on the mean squared distance, from the first model's state on."""
    weights = torch.zeros(len(seen), truth.shape[1])
    weights[0] = 1.0
    weights.requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=_RATE / len(seen))
    with torch.inference_mode(mode=False), torch.enable_grad():
        stacked, target = torch.stack(seen).clone(), truth.clone()
        for _ in range(_STEPS):
            optimiser.zero_grad()
            loss = ((weights[:, None, :] * stacked).sum(dim=0) - target).square().mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    learned = weights.detach()
    return lambda found: (learned[:, None, :] * torch.stack(list(found))).sum(dim=0)
