"""GPU operators, one directory an op: ``api`` (validate, dispatch), ``reference`` (eager oracle), ``triton``.

The reference runs on CPU tensors and is imported with this package; Triton is imported when a kernel first
runs.
"""

from llmnet.kernels.attention_decode import DecodePlan, attention_decode, plan_decode
from llmnet.kernels.attention_prefill import PrefillPlan, attention_prefill, plan_prefill
from llmnet.kernels.errors import BackendError, DtypeError, KernelError, LayoutError, LengthError, ShapeError
from llmnet.kernels.kv_write import kv_write

__all__ = [
    "BackendError",
    "DecodePlan",
    "DtypeError",
    "KernelError",
    "LayoutError",
    "LengthError",
    "PrefillPlan",
    "ShapeError",
    "attention_decode",
    "attention_prefill",
    "kv_write",
    "plan_decode",
    "plan_prefill",
]
