"""Errors of the engine.

EngineError
├── ModelError
│   ├── ModelNotFoundError        no such directory, or a file of it is missing
│   ├── TamperedModelError        a file does not hash to what its manifest (or the pinned root) says
│   ├── UnsupportedModelError     readable, but not a model this engine can run
│   └── DownloadError       the default model could not be fetched
├── PromptError              messages that cannot be turned into token ids
├── RequestError
│   ├── ContextLengthError       prompt + max_tokens does not fit
│   └── DuplicateRequestError     a request id that is still in use
├── NumericsError            non-finite logits or hidden state; only that request fails
├── IntegrityError           an invariant of the cache or the scheduler is broken: a fault of ours
└── EngineClosedError             the engine was closed, or its thread died
"""

from __future__ import annotations


class EngineError(Exception):
    """Root of everything the engine raises on purpose."""


class ModelError(EngineError):
    """Something is wrong with the files of a model."""


class ModelNotFoundError(ModelError):
    """A model directory, or a file in it, does not exist."""


class TamperedModelError(ModelError):
    """A file's content is not what was sealed."""


class UnsupportedModelError(ModelError):
    """The files are sound, but describe a model that the engine cannot run."""


class DownloadError(ModelError):
    """The default model could not be fetched."""


class PromptError(EngineError):
    """Messages that do not make a prompt."""


class RequestError(EngineError):
    """A generation request that is refused."""


class ContextLengthError(RequestError):
    """The prompt and the tokens asked for do not fit the context or the cache."""


class DuplicateRequestError(RequestError):
    """A request with this id is still running."""


class NumericsError(EngineError):
    """The model produced NaN or infinity."""


class IntegrityError(EngineError):
    """A broken invariant."""


class EngineClosedError(EngineError):
    """The engine no longer runs."""
