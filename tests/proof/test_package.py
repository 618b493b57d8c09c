"""What the package promises about itself."""

from __future__ import annotations

import subprocess
import sys

import llmnet.proof

PROBE = """
import sys
import llmnet.proof
loaded = {name.split('.')[0] for name in sys.modules}
foreign = loaded & {'torch', 'scalecodec', 'substrateinterface', 'httpx', 'websockets'}
ours = {name for name in sys.modules if name.startswith('llmnet.') and not name.startswith('llmnet.proof')}
sys.exit(f'{foreign} {ours}' if foreign or ours else 0)
"""


def test_importing_it_loads_numpy_and_the_curve_only() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists_and_is_documented() -> None:
    for name in llmnet.proof.__all__:
        item = getattr(llmnet.proof, name)
        assert name == "LANES" or item.__doc__, name
