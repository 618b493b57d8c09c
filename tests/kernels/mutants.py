"""Sabotaged copies of the kernels: one change of the source each, imported under the real module's name."""

import importlib
import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PACKAGE = "llmnet.kernels"


@dataclass(frozen=True)
class Mutation:
    """Replace ``old`` by ``new``, everywhere or at the first place, in ``module``; ``name`` says what that
    breaks."""

    name: str
    module: str
    old: str
    new: str


@contextmanager
def sabotaged(mutation: Mutation, folder: Path) -> Iterator[None]:
    """The kernels with one mutation: the module is made anew from changed source, and so is every kernel that
    uses it; afterwards the genuine ones are back.

    Triton reads a kernel's source from its file, so the changed source is written to ``folder``.
    """
    genuine = importlib.import_module(f"{PACKAGE}.{mutation.module}")
    source = Path(genuine.__file__ or "").read_text()
    if mutation.old not in source:
        raise ValueError(f"{mutation.name}: {mutation.module} no longer has {mutation.old!r}")
    kept = {name: module for name, module in sys.modules.items() if _is_kernel(name)}
    for name in kept:
        del sys.modules[name]
    try:
        _load(
            genuine.__name__,
            folder / f"{mutation.module.replace('.', '_')}.py",
            source.replace(mutation.old, mutation.new),
        )
        yield
    finally:
        for name in [name for name in sys.modules if _is_kernel(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        for name, module in kept.items():  # a package holds its modules as attributes, too
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)


def _is_kernel(name: str) -> bool:
    return name.startswith(f"{PACKAGE}.") and name.endswith((".triton", "._softmax", "._tiles"))


def _load(name: str, file: Path, source: str) -> None:
    file.write_text(source)
    linecache.checkcache(str(file))
    module = ModuleType(name)
    module.__file__ = str(file)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)
    exec(compile(source, str(file), "exec"), module.__dict__)
