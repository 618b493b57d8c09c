"""The metadata of the committed runtime, and views that answer from its types."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmnet.chain import Runtime, RuntimeVersion, parse_metadata

ARTIFACTS = Path(__file__).parents[2] / "runtime_spec" / "artifacts"
WASM = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    metadata = parse_metadata((ARTIFACTS / "metadata_v16.scale").read_bytes())
    return Runtime(metadata, RuntimeVersion("llmnet", 1, 1, 1))


@pytest.fixture(scope="session")
def wasm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled runtimes are kept while the tests run."""
    return tmp_path_factory.mktemp("wasm-cache")
