"""The signs that project logits and hidden states onto eight lanes, one byte an element."""

from llmnet.kernels.sign_octets.api import sign_octets

__all__ = ["sign_octets"]
