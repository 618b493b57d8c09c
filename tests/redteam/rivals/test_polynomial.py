"""The field's polynomials give back the points that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.redteam.rivals.errors import RivalError
from llmnet.redteam.rivals.polynomial import PRIME, evaluate, injective_modulus, interpolate, inverses

elements = st.integers(0, PRIME - 1)


@given(st.dictionaries(elements, elements, min_size=1, max_size=40))
def test_a_polynomial_goes_through_its_points(points: dict[int, int]) -> None:
    coefficients = interpolate(list(points), list(points.values()))
    assert len(coefficients) == len(points)
    assert evaluate(coefficients, list(points)).tolist() == list(points.values())


def test_known_coefficients() -> None:
    # 3 + 2 x + x^2 at 0, 1, 2
    assert interpolate([0, 1, 2], [3, 6, 11]).tolist() == [3, 2, 1]
    # (x - 1)(x - 2) has the roots 1 and 2, and 2 at 0
    assert interpolate([1, 2, 0], [0, 0, 2]).tolist() == [2, PRIME - 3, 1]


@given(elements.filter(bool))
def test_inverses(value: int) -> None:
    assert value * int(inverses([value])[0]) % PRIME == 1


def test_equal_places_have_no_polynomial() -> None:
    with pytest.raises(RivalError, match="different places"):
        interpolate([5, 5 + PRIME], [1, 2])


def test_the_modulus_tells_places_apart() -> None:
    assert injective_modulus(range(128)) == PRIME
    assert injective_modulus([0, PRIME]) == PRIME - 1
    with pytest.raises(RivalError, match="no modulus"):
        injective_modulus(np.array([7, 7]))
