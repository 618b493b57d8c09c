"""GPU operators, one directory an op: ``api`` (validate, dispatch), ``reference`` (eager oracle), ``triton``.

The reference runs on CPU tensors and is imported with this package; Triton is imported when a kernel first
runs.
"""

from llmnet.kernels.attention_decode import DecodePlan, attention_decode, plan_decode
from llmnet.kernels.attention_prefill import PrefillPlan, attention_prefill, plan_prefill
from llmnet.kernels.errors import BackendError, DtypeError, KernelError, LayoutError, LengthError, ShapeError
from llmnet.kernels.kv_write import kv_write, rope_kv_write
from llmnet.kernels.lm_head_leaf import LeafParts, best_candidates, lm_head_leaf
from llmnet.kernels.matmul import matmul
from llmnet.kernels.rms_norm import add_rms_norm, rms_norm
from llmnet.kernels.sample import sample
from llmnet.kernels.sign_octets import sign_octets
from llmnet.kernels.swiglu import swiglu

__all__ = [
    "BackendError",
    "DecodePlan",
    "DtypeError",
    "KernelError",
    "LayoutError",
    "LeafParts",
    "LengthError",
    "PrefillPlan",
    "ShapeError",
    "add_rms_norm",
    "attention_decode",
    "attention_prefill",
    "best_candidates",
    "kv_write",
    "lm_head_leaf",
    "matmul",
    "plan_decode",
    "plan_prefill",
    "rms_norm",
    "rope_kv_write",
    "sample",
    "sign_octets",
    "swiglu",
]
