"""What docs/devnode.md counts and lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.rpc.registry import METHODS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "devnode.md").read_text()


def test_the_number_of_host_functions() -> None:
    (number,) = re.findall(r"^(\d+) functions of sp-io", TEXT, re.MULTILINE)
    assert int(number) == len(HOST_FUNCTIONS)


def test_every_module_of_host_functions_has_a_row() -> None:
    table = TEXT[TEXT.index("| module | functions") : TEXT.index("## Limits")]
    for name in HOST_FUNCTIONS:
        module = re.sub(
            r"^ext_(default_child_storage|panic_handler|transaction_index|wasm_tracing|[a-z]+)_.*",
            r"\1",
            name,
        )
        assert module in table, name


def test_every_family_of_methods_is_named() -> None:
    section = TEXT[TEXT.index("## JSON-RPC") : TEXT.index("## Host functions")]
    families = {re.sub(r"_(unstable|v\d)_.*|_.*", "", name) for name in METHODS}
    families -= {"subscribe", "unsubscribe"}  # old aliases
    assert [family for family in sorted(families) if family not in section] == []
