"""The output layer as a leaf needs it: log-sum-exp, best candidates and both sketches, without the logits."""

from llmnet.kernels.lm_head_leaf.api import lm_head_leaf
from llmnet.kernels.lm_head_leaf.parts import LeafParts
from llmnet.kernels.lm_head_leaf.reference import best_candidates

__all__ = ["LeafParts", "best_candidates", "lm_head_leaf"]
