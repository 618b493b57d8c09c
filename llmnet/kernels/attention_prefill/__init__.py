"""Causal attention of a chunk of new tokens over everything before it, through the page table."""

from llmnet.kernels.attention_prefill.api import attention_prefill, plan_prefill
from llmnet.kernels.attention_prefill.plan import PrefillPlan

__all__ = ["PrefillPlan", "attention_prefill", "plan_prefill"]
