"""Typed Python for a runtime, from its metadata: `python -m llmnet.pallets.generate --help`."""

from .errors import GenerateError, SourceError, SubstituteError
from .package import differences, render_package, write_package
from .source import from_file, from_url, from_wasm

__all__ = [
    "GenerateError",
    "SourceError",
    "SubstituteError",
    "differences",
    "from_file",
    "from_url",
    "from_wasm",
    "render_package",
    "write_package",
]
