"""Kernel tests: the interpreter where there is no GPU, poisoned allocations everywhere."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch

HAS_CUDA = torch.cuda.is_available()
if not HAS_CUDA:
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported, which the kernels do late

torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    interpreting = os.environ.get("TRITON_INTERPRET") == "1"
    no_gpu = pytest.mark.skip(reason="no CUDA device, or TRITON_INTERPRET=1")
    no_interpreter = pytest.mark.skip(reason="Triton compiles for the GPU here: set TRITON_INTERPRET=1")
    # The interpreter converts one-element arrays to loop bounds; numpy has deprecated that, 2.4 removes it.
    loop_bound = pytest.mark.filterwarnings("ignore:Conversion of an array with ndim > 0:DeprecationWarning")
    for item in items:
        if item.get_closest_marker("gpu") and (interpreting or not HAS_CUDA):
            item.add_marker(no_gpu)
        if item.get_closest_marker("interpreter"):
            item.add_marker(loop_bound)
            if not interpreting:
                item.add_marker(no_interpreter)


@pytest.fixture(scope="session")
def interpreted_triton() -> None:
    """Make sure that Triton was imported under the flag: it chooses for its own functions when it is
    imported.

    Something tested before may have imported it without. Then Triton, and the modules that hold our kernels,
    are forgotten and so imported again by the next launch; its C extension can be loaded only once and stays.
    """
    imported = sys.modules.get("triton.language.standard")
    if imported is None or type(imported.zeros).__name__ == "InterpretedFunction":
        return
    for name in list(sys.modules):
        ours = name.startswith("llmnet.kernels.") and name.endswith((".triton", "._softmax"))
        theirs = name == "triton" or (name.startswith("triton.") and not name.startswith("triton._C"))
        if ours or theirs:
            del sys.modules[name]


@pytest.fixture(autouse=True)
def interpreted_when_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("interpreter"):
        request.getfixturevalue("interpreted_triton")
        _refuse_bf16(monkeypatch)


def _refuse_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """No launch gets a bf16 tensor past this, whether its launcher guards itself or not: the interpreter would
    compute garbage without a word."""
    from triton.runtime.interpreter import GridExecutor

    genuine = GridExecutor.__call__

    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()):
            tensor = getattr(argument, "base", argument)  # a descriptor holds its tensor as base
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.bfloat16:
                pytest.fail("a bf16 tensor reached the Triton interpreter, which computes it wrongly")
        return genuine(self, *args, **kwargs)

    monkeypatch.setattr(GridExecutor, "__call__", guarded)


@pytest.fixture(autouse=True)
def poisoned_empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fill what ``torch.empty`` returns with NaN: an element that no kernel writes then fails its test."""
    genuine = torch.empty

    def poisoned(*args: Any, **kwargs: Any) -> torch.Tensor:
        tensor = genuine(*args, **kwargs)
        return tensor.fill_(float("nan")) if tensor.is_floating_point() else tensor

    monkeypatch.setattr(torch, "empty", poisoned)
    yield
