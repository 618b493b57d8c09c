"""The module of classes: one for each named type, and the table by which they are decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmnet.chain.encoder import constant_name
from llmnet.chain.registry import Composite, Enum, Field, VariantDef

from .plan import Plan, Planned
from .words import clean, docstring, python_name, quoted


def render_types(plan: Plan, header: str, refusals: Sequence[str]) -> str:
    """`types.py`. refusals: `module:Name` of exceptions that substituted classes raise."""
    lines = [
        '"""The types of the runtime: dataclasses, enums, unions of variants, and names for plain values."""',
        "",
        *_imports(plan, refusals),
        "",
    ]
    for planned in plan:
        lines += ["", *_definition(plan, planned), ""]
    return header + "\n".join([*lines, *_table(plan, refusals)]) + "\n"


def _imports(plan: Plan, refusals: Sequence[str]) -> list[str]:
    sources = [planned.source for planned in plan if planned.source is not None]
    foreign = {(module, name): f"from {module} import {name} as {name}" for module, name in sources}
    for refusal in refusals if foreign else ():
        module, _, name = refusal.partition(":")
        foreign[(module, name)] = f"from {module} import {name}"
    return [
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "from enum import IntEnum",
        "from typing import ClassVar, Never, TypeAlias",
        "",
        "from llmnet.chain import Call, Err, Ok, Some, Tagged, TypeTable, Variant",
        *(foreign[key] for key in sorted(foreign)),
    ]


def _definition(plan: Plan, planned: Planned) -> list[str]:
    kind = plan.types[planned.type_id]
    text = clean(kind.docs)
    definition = kind.definition
    match planned.kind, definition:
        case "alias", _:
            about = [docstring(text, "")] if text else []
            return [f"{planned.name}: TypeAlias = {quoted(plan.structure(planned.type_id))}", *about]
        case "never", _:
            return [f"{planned.name}: TypeAlias = Never"]
        case "struct", Composite(fields):
            return _dataclass(plan, planned.name, "", text or f"`{'::'.join(kind.path)}`.", fields, ())
        case "members", Enum(variants):
            return _members(planned.name, text or f"`{'::'.join(kind.path)}`.", variants)
        case "union", Enum(variants):
            return _union(plan, planned.name, text, variants)
    return []  # stands in another module


def _members(name: str, text: str, variants: Sequence[VariantDef]) -> list[str]:
    lines = [f"class {name}(IntEnum):", docstring(text), ""]
    for variant in variants:
        lines.append(f"    {python_name(constant_name(variant.name))} = {variant.index}")
        about = clean(variant.docs)
        if about:
            lines.append(docstring(about))
    return lines


def _union(plan: Plan, name: str, text: str, variants: Sequence[VariantDef]) -> list[str]:
    lines: list[str] = []
    for variant in variants:
        about = clean(variant.docs) or f"`{name}::{variant.name}`."
        fixed = (f"    VARIANT: ClassVar[str] = {quoted(variant.name)}",)
        lines += [*_dataclass(plan, name + variant.name, "Tagged", about, variant.fields, fixed), "", ""]
    cases = " | ".join(name + variant.name for variant in variants)
    return [*lines, f"{name}: TypeAlias = {cases}", *([docstring(text, "")] if text else [])]


def _dataclass(
    plan: Plan, name: str, base: str, text: str, fields: Sequence[Field], fixed: Iterable[str]
) -> list[str]:
    return [
        "@dataclass(frozen=True, slots=True)",
        f"class {name}{f'({base})' if base else ''}:",
        docstring(text),
        "",
        *fixed,
        *field_lines(plan, fields, ""),
    ]


def field_lines(plan: Plan, fields: Sequence[Field], prefix: str) -> list[str]:
    """The annotated fields of a dataclass. One unnamed field is `value`, several are `value_0`, …"""
    lines = []
    for place, field in enumerate(fields):
        unnamed = "value" if len(fields) == 1 else f"value_{place}"
        name = unnamed if field.name is None else python_name(field.name)
        lines.append(f"    {name}: {plan.annotation(field.type, prefix)}")
        about = clean(field.docs)
        if about:
            lines.append(docstring(about))
    return lines


def _table(plan: Plan, refusals: Sequence[str]) -> list[str]:
    rows = [
        f"        {quoted(planned.shape)}: {_known(plan, planned)}," for planned in plan if _is_known(planned)
    ]
    names = [refusal.partition(":")[2] for refusal in refusals] if any(p.source for p in plan) else []
    return [
        "",
        "TYPES = TypeTable(",
        "    {",
        *rows,
        "    },",
        f"    refusals=({''.join(f'{n}, ' for n in names)}),",
        ")",
    ]


def _is_known(planned: Planned) -> bool:
    return planned.kind not in ("alias", "never")


def _known(plan: Plan, planned: Planned) -> str:
    definition = plan.types[planned.type_id].definition
    if planned.kind == "union" and isinstance(definition, Enum):
        return f"({''.join(f'{planned.name}{variant.name}, ' for variant in definition.variants)})"
    return planned.source[1] if planned.source is not None else planned.name
