"""One-place mutants of Rust sources, all of them in one build.

Building a FRAME pallet takes longer than testing it, so each place is compiled with all its variants and the process is told
by an environment variable which one to run: `a < b` becomes `(if crate::mutants::on(7) { a <= b } else { a < b })`.
What a variant may be is bound by that: it has to have the type of what it replaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import tree_sitter
import tree_sitter_rust

ACTIVE = "LLMNET_MUTANT"  # the number of the mutant to run
TRACE = "LLMNET_MUTANT_TRACE"  # a file that gets the numbers of all mutants whose place was reached

SWITCH = f"""
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod mutants {{
	extern crate std;
	use std::{{collections::BTreeSet, env, fs, io::Write, sync::{{Mutex, OnceLock}}}};
	pub fn on(id: u32) -> bool {{
		static ACTIVE: OnceLock<Option<u32>> = OnceLock::new();
		let active = ACTIVE.get_or_init(|| env::var("{ACTIVE}").ok().and_then(|value| value.parse().ok()));
		match active {{
			Some(active) => *active == id,
			None => {{ trace(id); false }}
		}}
	}}
	fn trace(id: u32) {{
		static SEEN: OnceLock<Option<Mutex<(BTreeSet<u32>, fs::File)>>> = OnceLock::new();
		let seen = SEEN.get_or_init(|| {{
			let path = env::var("{TRACE}").ok()?;
			let file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
			Some(Mutex::new((BTreeSet::new(), file)))
		}});
		if let Some(seen) = seen {{
			let mut seen = seen.lock().unwrap();
			if seen.0.insert(id) {{ writeln!(seen.1, "{{}}", id).unwrap(); }}
		}}
	}}
}}
"""
ALLOWED = "#![allow(arithmetic_overflow, unconditional_panic, unused, unreachable_code)]\n"

_OPERATORS: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "%": ("/",),
    "<<": (">>",),
    ">>": ("<<",),
    "&": ("|",),
    "|": ("&",),
    "^": ("|",),
}
_METHODS = {
    "saturating_add": "saturating_sub",
    "saturating_sub": "saturating_add",
    "saturating_mul": "saturating_add",
    "checked_add": "checked_sub",
    "checked_sub": "checked_add",
    "checked_mul": "checked_add",
    "checked_div": "checked_mul",
    "wrapping_add": "wrapping_sub",
    "wrapping_sub": "wrapping_add",
    "wrapping_mul": "wrapping_add",
    "div_ceil": "saturating_mul",
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "is_some": "is_none",
    "is_none": "is_some",
    "min_by_key": "max_by_key",
}
_BOOLEAN_METHODS = {"is_empty", "contains", "contains_key", "is_some_and", "is_none_or", "eq"}
_RETURNS: dict[str, tuple[str, ...]] = {
    "bool": ("true", "false"),
    "DispatchResult": ("Ok(())",),
    "Weight": ("Weight::zero()",),
    **dict.fromkeys(
        ("u8", "u16", "u32", "u64", "u128", "usize", "i16", "i32", "i64", "i128", "Balance"), ("0", "1")
    ),
}
_OPAQUE = {
    "attribute_item",
    "inner_attribute_item",
    "const_item",
    "static_item",
    "use_declaration",
    "macro_definition",
    "line_comment",
    "block_comment",
    "type_arguments",
    "type_parameters",
    "array_type",
    "enum_item",
    "struct_item",
    "type_item",
    "where_clause",
    "parameters",
    "closure_parameters",
    "match_pattern",
    "let_condition",
}
_KEPT_STATEMENTS = {
    "return_expression",
    "break_expression",
    "continue_expression",
    "loop_expression",
    "while_expression",
}
_CHECKS = {"ensure"}
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change at one place; `before` and `after` are the code without its mutants."""

    id: int
    path: str
    line: int
    function: str
    before: str
    after: str

    @property
    def key(self) -> str:
        """What names it as long as the code around it stays, wherever it moves to."""
        return f"{self.path}::{self.function}: {_flat(self.before)} -> {_flat(self.after) or 'nothing'}"


def _flat(text: str) -> str:
    return " ".join(text.split())


@dataclass
class Instrumented:
    """Sources with all their mutants in them, by path."""

    excluded: frozenset[int] = frozenset()  # numbers of mutants that do not compile
    mutants: list[Mutant] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, text: str) -> None:
        """Take in a file."""
        self.sources[path] = _File(self, path, text).rendered()


class _File:
    def __init__(self, whole: Instrumented, path: str, text: str) -> None:
        self._whole, self._path, self._text = whole, path, text
        self._functions: list[str] = []
        self._first_line = 1

    def rendered(self) -> str:
        """The file with its mutants."""
        return self._children(_PARSER.parse(self._text.encode()).root_node)

    def _mutant(self, node: tree_sitter.Node, before: str, after: str) -> int | None:
        """The number of a new mutant; None for one that does not compile."""
        line = self._first_line + node.start_point.row
        function = ".".join(self._functions)
        mutant = Mutant(len(self._whole.mutants) + 1, self._path, line, function, before, after)
        self._whole.mutants.append(mutant)
        return None if mutant.id in self._whole.excluded else mutant.id

    def _children(self, node: tree_sitter.Node) -> str:
        """The text of a node with its children rendered; what stands between them stays."""
        source = _source(node)
        out, at, skip = [], node.start_byte, False
        for child in node.children:
            out.append(_between(node, source, at, child.start_byte))
            out.append(_plain(child) if skip and _is_item(child) else self._render(child, node))
            if child.type == "attribute_item":
                skip = skip or "cfg(test)" in _plain(child) or "cfg(any(test" in _plain(child)
            elif _is_item(child):
                skip = False
            at = child.end_byte
        out.append(_between(node, source, at, node.end_byte))
        return "".join(out) if node.children else _plain(node)

    def _render(self, node: tree_sitter.Node, parent: tree_sitter.Node) -> str:
        if node.type in _OPAQUE or not node.is_named:
            return self._guarded(node) if node.type == "match_pattern" else _plain(node)
        handler = getattr(self, f"_on_{node.type}", None)
        rendered: str = self._children(node) if handler is None else handler(node, parent)
        return rendered

    def _guarded(self, node: tree_sitter.Node) -> str:
        """A pattern with its guard, which is an expression."""
        guard = node.child_by_field_name("condition")
        if guard is None or guard.type == "let_condition":
            return _plain(node)
        text, start = _plain(node).encode(), guard.start_byte - node.start_byte
        return text[:start].decode() + self._render(guard, node)

    def _either(self, node: tree_sitter.Node, variants: list[tuple[str, str]], original: str) -> str:
        """An expression that is one of its variants (as rendered, as shown) when that one is on."""
        for after, shown in reversed(variants):
            number = self._mutant(node, _plain(node), shown)
            if number is None:
                continue
            original = f"(if crate::mutants::on({number}) {{ {after} }} else {{ {original} }})"
        return original

    def _on_binary_expression(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        left, right = _field(node, "left"), _field(node, "right")
        operator = _plain(_field(node, "operator"))
        a, b = self._render(left, node), self._render(right, node)
        variants = [
            (f"{a} {other} {b}", f"{_plain(left)} {other} {_plain(right)}")
            for other in _OPERATORS.get(operator, ())
        ]
        return self._either(node, variants, f"{a} {operator} {b}")

    def _on_compound_assignment_expr(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        left, operator = _plain(_field(node, "left")), _plain(_field(node, "operator"))
        right = self._render(_field(node, "right"), node)
        out = f"{left} {operator} {right}"
        for other in _OPERATORS.get(operator[:-1], ()):
            number = self._mutant(node, _plain(node), f"{left} {other}= {_plain(_field(node, 'right'))}")
            if number is None:
                continue
            out = f"if crate::mutants::on({number}) {{ {left} {other}= {right} }} else {{ {out} }}"
        return f"({out})"

    def _on_boolean_literal(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        other = "false" if _plain(node) == "true" else "true"
        return self._either(node, [(other, other)], _plain(node))

    def _on_integer_literal(self, node: tree_sitter.Node, parent: tree_sitter.Node) -> str:
        text = _plain(node)
        length = parent.type == "array_expression" and parent.child_by_field_name("length") == node
        if length or parent.type == "field_expression" or not text.replace("_", "").isdigit():
            return text
        other = str(int(text.replace("_", "")) + 1)
        return self._either(node, [(other, other)], text)

    def _on_array_expression(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        return _plain(node) if node.child_by_field_name("length") is not None else self._children(node)

    def _on_unary_expression(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        operator, inner = node.children[0], node.children[-1]
        if _plain(operator) not in "!-":
            return self._children(node)
        body = self._render(inner, node)
        return self._either(node, [(body, _plain(inner))], _plain(operator) + body)

    def _on_call_expression(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        function, arguments = _field(node, "function"), _field(node, "arguments")
        if function.type != "field_expression":
            return self._children(node)
        name = _plain(_field(function, "field"))
        value, passed = self._render(_field(function, "value"), function), self._render(arguments, node)
        original = f"{value}.{name}{passed}"
        shown = _plain(_field(function, "value"))
        if name in _METHODS:
            other = _METHODS[name]
            return self._either(
                node, [(f"{value}.{other}{passed}", f"{shown}.{other}{_plain(arguments)}")], original
            )
        if name in _BOOLEAN_METHODS:
            return self._either(node, [(f"!{original}", f"!{_plain(node)}")], original)
        return original

    def _on_macro_invocation(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        name = _plain(_field(node, "macro"))
        if name == "matches":
            return self._either(node, [(f"!{_plain(node)}", f"!{_plain(node)}")], _plain(node))
        if name not in _CHECKS:
            return _plain(node)
        tokens = next(child for child in node.children if child.type == "token_tree")
        return f"{name}!{self._reparsed(tokens)}"

    def _reparsed(self, tokens: tree_sitter.Node) -> str:
        """The arguments of a macro that takes expressions."""
        head = "fn f() { g"
        root = _PARSER.parse(f"{head}{_plain(tokens)}; }}".encode()).root_node
        arguments = root.descendant_for_byte_range(len(head), len(head))
        assert arguments is not None
        while arguments.type != "arguments":
            assert arguments.parent is not None
            arguments = arguments.parent
        before = self._first_line
        self._first_line += tokens.start_point.row
        try:
            return self._children(arguments)
        finally:
            self._first_line = before

    def _on_expression_statement(self, node: tree_sitter.Node, parent: tree_sitter.Node) -> str:
        inner = node.children[0]
        rendered = self._children(node)
        last = [child for child in parent.children if child.is_named][-1] == node
        if inner.type in _KEPT_STATEMENTS or (last and not rendered.rstrip().endswith(";")):
            return rendered
        number = self._mutant(node, _plain(node), "")
        return rendered if number is None else f"if !crate::mutants::on({number}) {{ {rendered} }}"

    def _on_if_expression(self, node: tree_sitter.Node, parent: tree_sitter.Node) -> str:
        condition = _field(node, "condition")
        if condition.type not in ("identifier", "field_expression", "call_expression"):
            return self._children(node)
        if condition.type == "call_expression":
            function = _field(condition, "function")
            named = function.type == "field_expression" and _plain(_field(function, "field"))
            if named in _METHODS or named in _BOOLEAN_METHODS:
                return self._children(node)
        number = self._mutant(condition, f"if {_plain(condition)}", f"if !{_plain(condition)}")
        rendered = self._render(condition, node)
        if number is None:
            return self._children_but(node, condition, rendered)
        return self._children_but(node, condition, f"(crate::mutants::on({number}) != ({rendered}))")

    def _children_but(self, node: tree_sitter.Node, special: tree_sitter.Node, text: str) -> str:
        source, out, at = _source(node), [], node.start_byte
        for child in node.children:
            out.append(_between(node, source, at, child.start_byte))
            out.append(text if child == special else self._render(child, node))
            at = child.end_byte
        return "".join(out)

    def _on_function_item(self, node: tree_sitter.Node, _: tree_sitter.Node) -> str:
        body, name = _field(node, "body"), _plain(_field(node, "name"))
        head = _plain(node).encode()[: body.start_byte - node.start_byte].decode()
        if "const fn" in head.split("(")[0] or name in ("integrity_test",):
            return _plain(node)
        self._functions.append(name)
        inner = self._children(body)[1:]
        early = "".join(self._early(node, body, value) for value in _returned(node))
        self._functions.pop()
        return f"{head}{{ {early}{inner}"

    def _early(self, node: tree_sitter.Node, body: tree_sitter.Node, value: str) -> str:
        if _flat(_plain(body)) in (f"{{ {value} }}", "{}", "{ }"):
            return ""
        number = self._mutant(node, "the body", f"return {value}".strip())
        return "" if number is None else f"if crate::mutants::on({number}) {{ return {value}; }} "


def _returned(node: tree_sitter.Node) -> tuple[str, ...]:
    """What a function could return whatever it is asked."""
    kind = node.child_by_field_name("return_type")
    if kind is None:
        return ("",)
    name = _flat(_plain(kind))
    if name.startswith("Option<"):
        return ("None",)
    if name.startswith("Result<(),"):
        return ("Ok(())",)
    if name.startswith("Vec<"):
        return ("Default::default()",)
    return _RETURNS.get(name, ())


def _is_item(node: tree_sitter.Node) -> bool:
    return node.type.endswith(("_item", "_declaration")) and node.type not in (
        "attribute_item",
        "let_declaration",
    )


def _field(node: tree_sitter.Node, name: str) -> tree_sitter.Node:
    found = node.child_by_field_name(name)
    assert found is not None, f"{node.type} has no {name}"
    return found


def _source(node: tree_sitter.Node) -> bytes:
    text = node.text
    assert text is not None
    return text


def _plain(node: tree_sitter.Node) -> str:
    return _source(node).decode()


def _between(node: tree_sitter.Node, source: bytes, start: int, end: int) -> str:
    return source[start - node.start_byte : end - node.start_byte].decode()
