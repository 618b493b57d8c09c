"""Modules of other test folders; the folders of `tests` are packages of their own, not parts of one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def neighbour(package: str, module: str) -> ModuleType:
    """`tests/PACKAGE/MODULE.py`."""
    name = f"neighbour_{package}_{module}"
    if name in sys.modules:
        return sys.modules[name]
    path = Path(__file__).parents[1] / package / f"{module}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
