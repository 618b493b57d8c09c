"""All vector files."""

from __future__ import annotations

from functools import cache

from . import encodings, money, randomness, reviews, sampling, scoring, trees, verdicts
from .form import VectorFile


@cache
def all_files() -> dict[str, VectorFile]:
    """Every file by name."""
    modules = (encodings, randomness, trees, sampling, scoring, verdicts, money, reviews)
    return {file.name: file for module in modules for file in module.files()}
