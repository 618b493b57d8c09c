"""CPU kernels whose results depend on a row's own numbers only: not on the batch, the chunk, the page, the thread,
nor on the processor.

`Kernels` and `Sketcher` have them as functions on tensors, `Machine` compiles them; how they sum is written in `linear.py`,
`attention.py`, `rows.py` and `sketch.py`.
"""

from llmnet.engine.cpu.kernels import Kernels, Sketcher, host, source_digest
from llmnet.engine.cpu.machine import Machine

__all__ = ["Kernels", "Machine", "Sketcher", "host", "source_digest"]
