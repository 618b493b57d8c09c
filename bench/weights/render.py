"""`weights.rs` of a pallet from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from bench.weights.lab import Fit, Piece
from bench.weights.measure import Measured

SAFETY = 2  # how much slower a machine may be than the one that measured
_STEP = 100  # nanoseconds to which times are rounded up
_LEAST = 5_000  # nanoseconds that any piece counts with: what is less cannot be told from nothing

# What a pallet's own tests count with; where none is given, nothing.
_IN_TESTS: Mapping[str, Mapping[str, int]] = {"sessions": {"idle_base": 10, "idle_step": 1}}
# Pallets whose own tests count with what was measured.
_MEASURED_IN_TESTS = {"spot_checks"}
_EXTRA = {
    "spot_checks": """
	/// What a call may cost at most that costs `own` and may bring about a verdict.
	fn with_verdict(own: Weight) -> Weight {
		own.saturating_add(Self::decision()).saturating_add(Self::slash())
	}
"""
}


def render(pallet: str, fits: Mapping[Piece, Fit], machine: str) -> str:
    """The file's text, as rustfmt leaves it."""
    trait = "".join(_signature(piece) for piece in fits) + _EXTRA.get(pallet, "").lstrip("\n")
    bodies = "".join(_body(piece, found) for piece, found in fits.items())
    text = f"""//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on {machine}; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{{traits::Get, weights::Weight}};

/// The weights of this pallet.
pub trait WeightInfo {{
{trait}}}

/// What was measured, with the database costs of the runtime.
pub struct Measured<T>(PhantomData<T>);

impl<T: frame_system::Config> Measured<T> {{
	fn of(nanoseconds: u64, proof: u64, reads: u64, writes: u64) -> Weight {{
		Weight::from_parts(nanoseconds.saturating_mul(1_000), proof)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}}
}}

impl<T: frame_system::Config> WeightInfo for Measured<T> {{
{bodies}}}
"""
    return text if pallet in _MEASURED_IN_TESTS else text + _in_tests(pallet, list(fits))


def _arguments(piece: Piece, name: str = "") -> str:
    return f"{name or piece.component}: u32" if piece.component else ""


def _signature(piece: Piece) -> str:
    return f"\t/// {piece.doc}\n\tfn {piece.name}({_arguments(piece)}) -> Weight;\n"


def _body(piece: Piece, found: Fit) -> str:
    lines = f"\tfn {piece.name}({_arguments(piece)}) -> Weight {{\n\t\t// {_told(found)}\n"
    base = f"Self::of({_numbers(found.base, _LEAST)})"
    if piece.component is None:
        return f"{lines}\t\t{base}\n\t}}\n"
    each = f"Self::of({_numbers(found.each)})"
    return f"{lines}\t\tlet each = {each}.saturating_mul({piece.component}.into());\n\t\t{base}.saturating_add(each)\n\t}}\n"


def _told(found: Fit) -> str:
    told = f"{found.base.nanoseconds / 1_000:,.1f} us"
    return (
        told if found.component is None else f"{told} and {found.each.nanoseconds / 1_000:,.1f} us for each"
    )


def _numbers(found: Measured, least: int = 0) -> str:
    nanoseconds = max(least, ceil(found.nanoseconds * SAFETY / _STEP) * _STEP)
    return ", ".join(f"{number:_}" for number in (nanoseconds, found.proof, found.reads, found.writes))


def _in_tests(pallet: str, pieces: list[Piece]) -> str:
    given = _IN_TESTS.get(pallet, {})
    bodies = []
    for piece in pieces:
        cost = f"Weight::from_parts({given[piece.name]}, 0)" if piece.name in given else "Weight::zero()"
        bodies.append(f"\tfn {piece.name}({_arguments(piece, '_')}) -> Weight {{\n\t\t{cost}\n\t}}\n")
    told = (
        "No cost, but for steps between calls, so that tests can run out of it."
        if given
        else "No cost, for tests."
    )
    return f"\n/// {told}\nimpl WeightInfo for () {{\n{''.join(bodies)}}}\n"
