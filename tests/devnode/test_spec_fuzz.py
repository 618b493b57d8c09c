"""Damaged chain specifications are refused with an error of the package, or make a node; nothing else happens."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llmnet.devnode import ChainSpec, DevnodeError, Node, NodeConfig, Runtime

from .mini_runtime import mini_spec

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0x", "0x0", "0xzz", "0x00", "0x3a636f6465", "ab", "0x" + "ff" * 40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
WHOLE = mini_spec().as_json(Runtime(mini_spec().code), raw=True)


def paths(value: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The ways to everything below a JSON object."""
    if not isinstance(value, dict):
        return [above] if above else []
    return ([above] if above else []) + [path for key in value for path in paths(value[key], (*above, key))]


def opens(text: str, folder: Path, cache_dir: Path) -> bool:
    """Whether the specification makes a node; anything but an error of the package goes through."""
    path = folder / "spec.json"
    path.write_text(text)
    try:
        node = Node(ChainSpec.read(path), NodeConfig(cache_dir=cache_dir))
    except DevnodeError as error:
        assert str(error)
        return False
    node.close()
    return True


def test_the_whole_specification_opens(tmp_path: Path, cache_dir: Path) -> None:
    assert opens(json.dumps(WHOLE), tmp_path, cache_dir)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(paths(WHOLE)), value=JSON, remove=st.booleans())
@example(path=("genesis", "raw", "top"), value={"0x3a636f6465": "0x00"}, remove=False)
@example(path=("genesis",), value={"runtimeGenesis": {"code": "0x00", "patch": {}}}, remove=False)
def test_one_changed_entry(
    tmp_path: Path, cache_dir: Path, path: tuple[str, ...], value: Any, remove: bool
) -> None:
    spec = copy.deepcopy(WHOLE)
    holder = spec
    for key in path[:-1]:
        holder = holder[key]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    opened = opens(json.dumps(spec), tmp_path, cache_dir)
    assert not (opened and path[0] == "genesis" and "0x3a636f6465" not in json.dumps(spec["genesis"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4000), junk=st.text(max_size=5))
def test_a_specification_that_is_cut_off(tmp_path: Path, cache_dir: Path, cut: int, junk: str) -> None:
    text = json.dumps(WHOLE)
    assert not opens(text[: cut % len(text)] + junk, tmp_path, cache_dir)
