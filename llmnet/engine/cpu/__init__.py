"""CPU kernels whose results depend on a row's own numbers only: not on the batch, the chunk, the page, the thread,
nor on the processor.

`Kernels`, `Sketcher` and `Chooser` have them as functions on tensors, `Machine` compiles them; how they sum is written in `linear.py`,
`attention.py`, `rows.py` and `sketch.py`, how they choose in `choice.py`. `leaves.py` makes leaves with them.
"""

from llmnet.engine.cpu.kernels import Chooser, Kernels, Sketcher, host, source_digest
from llmnet.engine.cpu.machine import Machine

__all__ = ["Chooser", "Kernels", "Machine", "Sketcher", "host", "source_digest"]
