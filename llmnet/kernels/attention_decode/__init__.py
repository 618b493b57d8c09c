"""Attention of one new token a sequence over its pages."""

from llmnet.kernels.attention_decode.api import attention_decode, plan_decode
from llmnet.kernels.attention_decode.plan import DecodePlan

__all__ = ["DecodePlan", "attention_decode", "plan_decode"]
