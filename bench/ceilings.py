"""What this machine was measured to do, in the same run: the 100 % of every table."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

NOT_ON_GPU = "not measured on a GPU"


@dataclass(frozen=True)
class Ceiling:
    """Best rates seen on ``device``: matrix product in TFLOP/s, copy in GB/s (bytes read plus bytes
    written)."""

    device: str
    dtype: torch.dtype
    tflops: float
    gbps: float

    @property
    def where(self) -> str:
        """The device by name; a CPU adds that no GPU was measured."""
        if self.device == "cuda":
            return torch.cuda.get_device_name()
        return f"CPU, {torch.get_num_threads()} thread: {NOT_ON_GPU}"


def measure_ceiling() -> Ceiling:
    """Time a large matrix product and a large copy, in the dtype that the suites use on this device."""
    if torch.cuda.is_available():
        device, dtype, side, count = "cuda", torch.bfloat16, 8192, 1 << 30
    else:
        device, dtype, side, count = "cpu", torch.float32, 768, 1 << 24
    left, right = torch.randn(2, side, side, device=device, dtype=dtype).unbind(0)
    source = torch.ones(count, device=device, dtype=dtype)
    target = torch.empty_like(source)
    product = best_seconds(lambda: torch.mm(left, right), device)
    copy = best_seconds(lambda: target.copy_(source), device)
    moved = 2 * source.numel() * source.element_size()
    return Ceiling(device, dtype, tflops=2 * side**3 / product / 1e12, gbps=moved / copy / 1e9)


def best_seconds(work: Callable[[], object], device: str, rounds: int = 8) -> float:
    """The shortest of several timings, after a warm-up."""
    times = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        work()
        synchronise(device)
        times.append(time.perf_counter() - start)
    return min(times[2:])


def synchronise(device: str) -> None:
    """Wait for the device; a CPU has nothing to wait for."""
    if device == "cuda":
        torch.cuda.synchronize()
