"""The modules of one pallet, and of one runtime API."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain.bound import BoundEntries
from llmnet.chain.metadata import Api, Constant, Deprecation, Function, Outer, Pallet, StorageEntry
from llmnet.chain.registry import VariantDef

from .plan import Plan
from .render_types import field_lines
from .words import clean, docstring, python_name, quoted

FUTURE = "from __future__ import annotations"
TYPES = "from .. import types as t"


class PalletRenderer:
    """Every method gives the text of one module, "" where the pallet has nothing of the kind."""

    def __init__(self, plan: Plan, bound: BoundEntries, header: str) -> None:
        self.plan, self.bound, self.header = plan, bound, header

    def modules(self, pallet: Pallet) -> dict[str, str]:
        """The pallet's package: file name and text."""
        texts = {
            "calls": self._calls(pallet),
            "constants": self._constants(pallet),
            "errors": self._variant_classes(pallet, "errors", "PalletError"),
            "events": self._variant_classes(pallet, "events", "PalletEvent"),
            "storage": self._storage(pallet),
            "views": self._functions(pallet.name, list(pallet.view_functions.values()), "ViewFunction"),
        }
        found = {f"{kind}.py": text for kind, text in texts.items() if text}
        names = [name.removesuffix(".py") for name in found]
        text = clean(pallet.docs[:1]) or f"The pallet `{pallet.name}`."
        exports = [f"from . import {', '.join(names)}", "", f"__all__ = [{', '.join(map(quoted, names))}]"]
        found["__init__.py"] = self._module(text, exports if names else [])
        return found

    def api(self, api: Api) -> str:
        text = clean(api.docs) or f"The runtime API `{api.name}`."
        return self._functions(api.name, list(api.methods.values()), "ApiMethod", text)

    # Calls

    def _calls(self, pallet: Pallet) -> str:
        variants = self.bound.runtime.metadata.variants(pallet.name, "calls").variants
        if not variants:
            return ""
        notes = pallet.deprecated.get("calls", {})
        lines = []
        for variant in variants:
            lines += ["", "", *self._call(pallet.name, variant, notes.get(variant.index))]
        imports = [FUTURE, "", "from collections.abc import Mapping, Sequence", ""]
        imports += ["from llmnet.chain import Call, Entry, Err, Ok, Some, Variant", "", TYPES]
        return self._module(f"Calls of the pallet `{pallet.name}`.", [*imports, *lines])

    def _call(self, pallet: str, variant: VariantDef, note: Deprecation | None) -> list[str]:
        names = [field.name or f"value_{place}" for place, field in enumerate(variant.fields)]
        hints = [self.plan.annotation(field.type, given=True) for field in variant.fields]
        arguments = ", ".join(f"{python_name(name)}: {hint}" for name, hint in zip(names, hints, strict=True))
        values = ", ".join(f"{quoted(name)}: {python_name(name)}" for name in names)
        notes = [f"{name}: {clean(f.docs)}" for name, f in zip(names, variant.fields, strict=True) if f.docs]
        constant = f"_{variant.name.upper()}"
        digest = self.plan.shapes.variant("calls", pallet, variant)
        return [
            f"{constant} = {self._entry(pallet, variant.name, digest, self.bound.text_of_variant(variant))}",
            "",
            "",
            f"def {python_name(variant.name)}({arguments}) -> Call:",
            docstring(clean(variant.docs, [*notes, _deprecated(note)]) or f"`{pallet}.{variant.name}`."),
            f"    return Call({quoted(pallet)}, {quoted(variant.name)}, {{{values}}}, {constant})",
        ]

    # Events and errors

    def _variant_classes(self, pallet: Pallet, kind: Outer, base: str) -> str:
        variants = self.bound.runtime.metadata.variants(pallet.name, kind).variants
        if not variants:
            return ""
        notes = pallet.deprecated.get(kind, {})
        lines: list[str] = []
        for variant in variants:
            lines += [
                "",
                "",
                *self._variant_class(pallet.name, kind, base, variant, notes.get(variant.index)),
            ]
        imports = [FUTURE, "", "from dataclasses import dataclass", "from typing import ClassVar", ""]
        imports += [f"from llmnet.chain import Call, Entry, Err, Ok, {base}, Some, Variant", "", TYPES]
        return self._module(f"{kind.capitalize()} of the pallet `{pallet.name}`.", [*imports, *lines])

    def _variant_class(
        self, pallet: str, kind: Outer, base: str, variant: VariantDef, note: Deprecation | None
    ) -> list[str]:
        digest = self.plan.shapes.variant(kind, pallet, variant)
        entry = self._entry(pallet, variant.name, digest, self.bound.text_of_variant(variant))
        return [
            *(["@dataclass(frozen=True, slots=True)"] if kind == "events" else []),
            f"class {python_name(variant.name)}({base}):",
            docstring(clean(variant.docs, [_deprecated(note)]) or f"`{pallet}.{variant.name}`."),
            "",
            *([] if kind == "events" else ["    __slots__ = ()"]),
            f"    ENTRY: ClassVar[Entry] = {entry}",
            *(field_lines(self.plan, variant.fields, "t.") if kind == "events" else []),
        ]

    # Storage and constants

    def _storage(self, pallet: Pallet) -> str:
        if not pallet.storage:
            return ""
        lines: list[str] = []
        for entry in pallet.storage.values():
            lines += ["", *self._storage_item(entry)]
        imports = [FUTURE, "", "from llmnet.chain import ("]
        imports += [
            "    Call, Entry, Err, Ok, Some, StorageDoubleMap, StorageMap, StorageNMap, StorageValue, Variant",
            ")",
        ]
        return self._module(f"Storage of the pallet `{pallet.name}`.", [*imports, "", TYPES, *lines])

    def _storage_item(self, entry: StorageEntry) -> list[str]:
        kind = (
            ("StorageValue", "StorageMap", "StorageDoubleMap")[len(entry.keys)]
            if len(entry.keys) < 3
            else "StorageNMap"
        )
        value = self.plan.annotation(entry.value)
        if entry.optional and not value.endswith("| None"):
            value += " | None"
        parts = [self.plan.annotation(key) for _, key in entry.keys] + [value]
        made = self._entry(
            entry.pallet, entry.name, self.plan.shapes.storage(entry), self.bound.text_of_storage(entry)
        )
        about = clean(entry.docs, [_deprecated(entry.deprecation)])
        line = f"{python_name(entry.name)}: {kind}[{', '.join(parts)}] = {kind}({made})"
        return [line, docstring(about, "")] if about else [line]

    def _constants(self, pallet: Pallet) -> str:
        if not pallet.constants:
            return ""
        lines: list[str] = []
        for constant in pallet.constants.values():
            lines += ["", *self._constant(pallet.name, constant)]
        imports = [
            FUTURE,
            "",
            "from llmnet.chain import ConstantEntry, Entry, Err, Ok, Some, Variant",
            "",
            TYPES,
        ]
        return self._module(f"Constants of the pallet `{pallet.name}`.", [*imports, *lines])

    def _constant(self, pallet: str, constant: Constant) -> list[str]:
        digest = self.plan.shapes.constant(constant.type)
        entry = self._entry(pallet, constant.name, digest, self.plan.shapes.words(constant.type))
        hint = f"ConstantEntry[{self.plan.annotation(constant.type)}]"
        about = clean(constant.docs, [_deprecated(constant.deprecation)])
        line = f"{python_name(constant.name)}: {hint} = ConstantEntry({entry})"
        return [line, docstring(about, "")] if about else [line]

    # Functions

    def _functions(self, owner: str, functions: Sequence[Function], kind: str, title: str = "") -> str:
        if not functions:
            return ""
        lines: list[str] = []
        for function in functions:
            lines += ["", "", *self._function(owner, function, kind)]
        imports = [FUTURE, "", "from collections.abc import Mapping, Sequence", ""]
        imports += [f"from llmnet.chain import Call, Entry, Err, Ok, Some, Variant, View, {kind}", "", TYPES]
        return self._module(title or f"View functions of the pallet `{owner}`.", [*imports, *lines])

    def _function(self, owner: str, function: Function, kind: str) -> list[str]:
        names = {name: _argument(name) for name, _ in function.inputs}
        hints = [f"{names[name]}: {self.plan.annotation(part, given=True)}" for name, part in function.inputs]
        values = ", ".join(f"{quoted(name)}: {argument}" for name, argument in names.items())
        result, constant = self.plan.annotation(function.output), f"_{function.name.upper()}"
        made = self._entry(
            owner, function.name, self.plan.shapes.function(function), self.bound.text_of_function(function)
        )
        about = clean(function.docs, [_deprecated(function.deprecation)]) or f"`{owner}.{function.name}`."
        return [
            f"{constant}: {kind}[{result}] = {kind}({made})",
            "",
            "",
            f"async def {python_name(function.name)}({', '.join(['view: View', *hints])}) -> {result}:",
            docstring(about),
            f"    return await view.ask({constant}, {{{values}}})",
        ]

    # Pieces

    def _entry(self, pallet: str, name: str, digest: str, text: str) -> str:
        return f"Entry({quoted(pallet)}, {quoted(name)}, {quoted(digest)}, {quoted(text)}, t.TYPES)"

    def _module(self, title: str, lines: Sequence[str]) -> str:
        return self.header + "\n".join([docstring(title, ""), "", *lines]) + "\n"


def _argument(name: str) -> str:
    return "view_" if name == "view" else python_name(name)


def _deprecated(note: Deprecation | None) -> str:
    if note is None:
        return ""
    since = f" since {note.since}" if note.since else ""
    return f"Deprecated{since}. {note.note or ''}".strip()
