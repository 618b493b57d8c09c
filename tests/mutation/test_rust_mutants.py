"""The mutants of Rust sources: what is changed, what is left alone, and what a run makes of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_rust")

from tests.mutation.rust_mutants import ALLOWED, SWITCH, Instrumented, Mutant
from tests.mutation.rust_run import CRATES, EXPLAINED, SPEC, Workshop, _numbered, _with_switch, report


def _mutants(text: str) -> list[tuple[str, str]]:
    whole = Instrumented()
    whole.add("a.rs", text)
    return [(mutant.before, mutant.after) for mutant in whole.mutants]


def _body(expression: str) -> list[tuple[str, str]]:
    """The mutants of an expression in a function whose own value is not replaced."""
    return _mutants(f"fn f() -> Odd {{ {expression} }}")


@pytest.mark.parametrize(
    ("expression", "changes"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a == b", {"a != b"}),
        ("a && b", {"a || b"}),
        ("a + b", {"a - b"}),
        ("!a", {"a"}),
        ("-a", {"a"}),
        ("true", {"false"}),
        ("41", {"42"}),
        ("a.saturating_add(b)", {"a.saturating_sub(b)"}),
        ("a.min(b)", {"a.max(b)"}),
        ("a.iter().any(f)", {"a.iter().all(f)"}),
        ("a.is_empty()", {"!a.is_empty()"}),
        ("matches!(a, B(1))", {"!matches!(a, B(1))"}),
        ("if a { b } else { c }", {"if !a"}),
        ("match a { B if c < d => e, _ => f }", {"c <= d", "c >= d"}),
    ],
)
def test_each_kind_of_expression_is_changed(expression: str, changes: set[str]) -> None:
    assert {after for _, after in _body(expression)} == changes


def test_statements_are_left_out_and_checks_are_looked_into() -> None:
    found = _mutants("fn f() -> Odd { ensure!(a < 3, E); b(); c = d; e }")
    assert ("b();", "") in found
    assert ("c = d;", "") in found
    assert ("ensure!(a < 3, E);", "") in found
    assert {("a < 3", "a <= 3"), ("3", "4")} <= set(found)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bool", {"true", "false"}),
        ("u32", {"0", "1"}),
        ("Option<u8>", {"None"}),
        ("DispatchResult", {"Ok(())"}),
    ],
)
def test_functions_return_too_early(kind: str, values: set[str]) -> None:
    found = {after for before, after in _mutants(f"fn f() -> {kind} {{ g() }}") if before == "the body"}
    assert found == {f"return {value}" for value in values}
    assert ("the body", "return") in _mutants("fn f() { g() }")


@pytest.mark.parametrize(
    "text",
    [
        "#[cfg(test)] mod tests { fn f() -> bool { a < b } }",
        "#[pallet::weight(a + 1)] struct A;",
        "const A: u32 = 1 + 2;",
        "const fn f() -> u32 { 1 + 2 }",
        "type A = [u8; 4];",
        "fn f() -> Odd { [a; 4] }",
        "fn f() -> Odd { a.0 }",
        "fn f(a: [u8; 4]) -> Odd { b::<4>() }",
    ],
)
def test_what_is_no_rule_stays(text: str) -> None:
    assert _mutants(text) == []


def _sources() -> list[Path]:
    return [
        path
        for crate in CRATES.values()
        for path in sorted((SPEC / crate.folder / "src").glob("*.rs"))
        if path.name not in crate.left_out
    ]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_with_every_mutant_left_out_the_source_is_the_source(path: Path) -> None:
    whole = Instrumented(frozenset(range(1, 10_000)))
    whole.add(path.name, path.read_text())
    assert _dense(whole.sources[path.name]) == _dense(path.read_text())


def _dense(text: str) -> str:
    """Without blanks, and without the parentheses that keep a variant together."""
    return "".join(character for character in text if not character.isspace() and character not in "()")


def test_every_switch_is_there_once() -> None:
    whole = Instrumented()
    for path in _sources():
        whole.add(str(path), path.read_text())
    numbers = Counter(
        int(part.split(")")[0])
        for text in whole.sources.values()
        for part in text.split("crate::mutants::on(")[1:]
    )
    assert set(numbers) == {mutant.id for mutant in whole.mutants}
    assert len(whole.mutants) > 1_000


def test_equal_changes_are_told_apart() -> None:
    same = [Mutant(number, "a.rs", number, "f", "1", "2") for number in (1, 2)]
    assert [name for _, name in _numbered(same)] == ["a.rs::f: 1 -> 2", "a.rs::f: 1 -> 2 #2"]


def test_the_switch_stands_behind_the_documentation() -> None:
    text = _with_switch("//! A crate.\n#![no_std]\nfn f() {}\n")
    assert text.startswith("//! A crate.\n" + ALLOWED)
    assert text.endswith(SWITCH)


def test_a_survivor_is_reported_unless_it_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Workshop(CRATES["primitives"], tmp_path)
    shop.mutants = [Mutant(number, "a.rs", 7, "f", before, "x") for number, before in enumerate("abc", 1)]
    shop._names = dict(_numbered(shop.mutants))
    shop.results = {
        "a.rs::f: a -> x": "survived",
        "a.rs::f: b -> x": "caught",
        "a.rs::f: c -> x": "not reached",
    }
    explained = {"a.rs::f: c -> x": "the same"}
    assert report(shop, explained) == ["a.rs:7: survived: a.rs::f: a -> x"]
    assert "a.rs: 3 mutants: 1 survived, 1 caught, 1 unreachable" in capsys.readouterr().out


def test_survivors_that_nobody_explains_are_asked_about_again(tmp_path: Path) -> None:
    shop = Workshop(CRATES["primitives"], tmp_path)
    shop.results = {"a": "survived", "b": "caught", "c": "not reached", "d": "survived", "e": "timeout"}
    shop.forget_survivors({"d": "the same"})
    known = {"b": "caught", "d": "survived", "e": "timeout"}
    assert Workshop(CRATES["primitives"], tmp_path).results == known


def test_only_what_is_there_is_explained() -> None:
    whole = Instrumented()
    for path in _sources():
        whole.add(path.name, path.read_text())
    names = {name for _, name in _numbered(whole.mutants)}
    assert set(json.loads(EXPLAINED.read_text())) <= names
