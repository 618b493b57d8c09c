"""The test vectors that Rust and Python must both reproduce; `python -m llmnet.proof.vectors --out DIR
[--check]` writes or checks them.
"""

from __future__ import annotations

from .form import VectorFile
from .registry import all_files

__all__ = ["VectorFile", "all_files"]
