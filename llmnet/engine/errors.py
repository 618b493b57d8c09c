"""Errors of the engine.

    EngineError
    ├── ModelError
    │   ├── ModelNotFound        no such directory, or a file of it is missing
    │   ├── TamperedModel        a file does not hash to what its manifest (or the pinned root) says
    │   ├── UnsupportedModel     readable, but not a model this engine can run
    │   └── DownloadFailed       the default model could not be fetched
    ├── PromptError              messages that cannot be turned into token ids
    ├── RequestError
    │   ├── ContextTooLong       prompt + max_tokens does not fit
    │   └── DuplicateRequest     a request id that is still in use
    ├── NumericsError            non-finite logits or hidden state; only that request fails
    ├── IntegrityError           an invariant of the cache or the scheduler is broken: a fault of ours
    └── EngineClosed             the engine was closed, or its thread died
"""

from __future__ import annotations


class EngineError(Exception):
    """Root of everything the engine raises on purpose."""


class ModelError(EngineError):
    """Something is wrong with the files of a model."""


class ModelNotFound(ModelError):
    """A model directory, or a file in it, does not exist."""


class TamperedModel(ModelError):
    """A file's content is not what was sealed."""


class UnsupportedModel(ModelError):
    """The files are sound, but describe a model that the engine cannot run."""


class DownloadFailed(ModelError):
    """The default model could not be fetched."""


class PromptError(EngineError):
    """Messages that do not make a prompt."""


class RequestError(EngineError):
    """A generation request that is refused."""


class ContextTooLong(RequestError):
    """The prompt and the tokens asked for do not fit the context or the cache."""


class DuplicateRequest(RequestError):
    """A request with this id is still running."""


class NumericsError(EngineError):
    """The model produced NaN or infinity."""


class IntegrityError(EngineError):
    """A broken invariant."""


class EngineClosed(EngineError):
    """The engine no longer runs."""
