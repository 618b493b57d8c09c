"""The engine: schedule, run, postprocess. Tokens in; tokens, text and leaves out."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

import torch

from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import make_batch
from llmnet.engine.errors import DuplicateRequestError, NumericsError, RequestError
from llmnet.engine.graphs import DecodeGraphs
from llmnet.engine.leaves import LeafBuilder, Wanted
from llmnet.engine.model import LlamaModel
from llmnet.engine.prefix import root_key
from llmnet.engine.request import GenerationRequest, Output
from llmnet.engine.scheduler import Chunk, Scheduler, Sequence
from llmnet.engine.scoring import score
from llmnet.engine.text import TextStream
from llmnet.engine.tokenizer import Tokenizer
from llmnet.engine.weights import ModelFiles
from llmnet.proof import FinishReason, Leaf, ServiceSpec


class _Active:
    """A request that is in the engine: its tokens for the scheduler, its text for the reader."""

    def __init__(self, request: GenerationRequest, tokenizer: Tokenizer, *, shares: bool) -> None:
        self.request = request
        root = root_key(salt=request.cache_salt) if shares else None
        self.sequence = Sequence(request.request_id, list(request.prompt_ids), request.max_tokens, root)
        self.text = TextStream(tokenizer, request.stop)

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.sequence.num_output, self.request.request_seed, self.request.temperature)


class Engine:
    """Continuous batching over one model. Not thread-safe: `AsyncEngine` gives it a thread of its own.

    `num_pages` pages of `operators.page_size` tokens bound the cache (default: one full context, at least 128 tokens a slot);
    requests that do not fit wait, and the youngest is recomputed later if running ones need its pages. With
    `prefix_cache`, pages of finished requests are kept as long as nobody needs the room, and a prompt that begins
    like an earlier one of the same salt is computed from where they differ. With `graphs`, steps in which everybody
    decodes are recorded once and replayed.
    """

    def __init__(
        self,
        files: ModelFiles,
        spec: ServiceSpec,
        *,
        max_batch: int = 16,
        max_step_tokens: int = 256,
        num_pages: int | None = None,
        prefix_cache: bool = True,
        graphs: bool = True,
        model: LlamaModel | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.spec = spec
        self.tokenizer = files.tokenizer
        self.model = model or LlamaModel.from_files(files, spec.numerics, device)
        context = min(spec.context_length, files.config.context_length)
        page_size = self.model.operators.page_size
        pages = num_pages or -(-max(context, max_batch * 128) // page_size)
        self._blocks = BlockManager(pages, page_size)
        self._scheduler = Scheduler(
            self._blocks, context_length=context, max_batch=max_batch, max_step_tokens=max_step_tokens
        )
        self._cache = self.model.new_cache(pages)
        self._graphs = DecodeGraphs(-(-context // page_size)) if graphs else None
        self._leaves = LeafBuilder(
            spec,
            files.config.hidden_size,
            self.model.device,
            invariant=self.model.operators.invariant,
            head=self.model.head if self.model.operators.reads_output else None,
        )
        self._shares = prefix_cache
        self._active: dict[str, _Active] = {}

    def __len__(self) -> int:
        return len(self._active)

    @property
    def num_preemptions(self) -> int:
        """How often a request had to give its pages back."""
        return self._scheduler.num_preemptions

    @property
    def num_found(self) -> int:
        """Tokens whose KV was found in the cache instead of being computed."""
        return self._scheduler.num_found

    def add(self, request: GenerationRequest) -> None:
        """Queue a request. Raises `RequestError` (`ContextLengthError`, `DuplicateRequestError`); nothing is
        queued then.
        """
        request.check(self.spec.vocab_size)
        if request.request_id in self._active:
            raise DuplicateRequestError(f"request {request.request_id!r} is still running")
        active = _Active(request, self.tokenizer, shares=self._shares)
        self._scheduler.add(active.sequence)
        self._active[request.request_id] = active

    def abort(self, request_id: str) -> bool:
        """Drop a request and free its pages; it gives no further output. False if it is not running."""
        self._active.pop(request_id, None)
        return self._scheduler.remove(request_id)

    def step(self) -> list[Output]:
        """One forward pass over whatever is due. At most one new token a request; an idle engine returns
        nothing.
        """
        chunks = self._scheduler.schedule()
        results = self._run(chunks)
        return self._postprocess(results)

    def score(
        self,
        prompt_ids: SequenceOf[int],
        output_ids: SequenceOf[int],
        request_seed: bytes,
        *,
        chunk_tokens: int = 128,
    ) -> list[Leaf]:
        """Leaves of given output tokens from one prefill with this model; see
        `llmnet.engine.scoring.score`.
        """
        if len(prompt_ids) + len(output_ids) > self.spec.context_length:
            raise RequestError(
                f"{len(prompt_ids)} + {len(output_ids)} tokens do not fit {self.spec.context_length}"
            )
        return score(
            self.model, self._leaves, prompt_ids, output_ids, request_seed, chunk_tokens=chunk_tokens
        )

    def check_integrity(self) -> None:
        """Raise `IntegrityError` if an invariant of cache or scheduler is broken."""
        self._scheduler.check_integrity()

    def _run(self, chunks: list[Chunk]) -> dict[str, Leaf | NumericsError]:
        """The leaf of every sequence that caught up."""
        if not chunks:
            return {}
        batch = make_batch(chunks, self._blocks, self.model.device)
        hidden, logits = self.model.outputs(batch, self._cache, self._graphs)
        self._scheduler.computed(chunks)
        names = [chunk.sequence.request_id for chunk in chunks if chunk.sequence.behind == 0]
        if not names:
            return {}
        return dict(
            zip(
                names,
                self._leaves.build(hidden, logits, [self._active[name].wanted for name in names]),
                strict=True,
            )
        )

    def _postprocess(self, results: dict[str, Leaf | NumericsError]) -> list[Output]:
        outputs = [self._advance(self._active[name], result) for name, result in results.items()]
        for output in outputs:
            if output.finished:
                self.abort(output.request_id)
        return outputs

    def _advance(self, active: _Active, result: Leaf | NumericsError) -> Output:
        name = active.request.request_id
        if isinstance(result, NumericsError):
            return Output(name, finished=True, error=result)
        active.sequence.tokens.append(result.token)
        text = active.text.add(result.token)
        reason = self._finish_reason(active, result.token)
        if reason is not None:
            text += active.text.finish()
            # A half character at the very end may complete a stop string; the reason that came first stands.
        return Output(name, (result.token,), text, result, reason is not None, reason)

    def _finish_reason(self, active: _Active, token: int) -> FinishReason | None:
        if token in self.tokenizer.eos_ids:
            return FinishReason.STOP
        if active.text.stopped:
            return FinishReason.STOP_STRING
        if active.sequence.num_output >= active.request.max_tokens:
            return FinishReason.LENGTH
        return None
