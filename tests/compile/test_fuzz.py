"""Random programs: compiled by every backend they agree with the eager engine in values, parameter gradients and input gradients."""

from __future__ import annotations

import pytest

from .checks import check
from .programs import random_program


@pytest.mark.parametrize("start", range(0, 400, 20))
def test_a_few_hundred(start: int) -> None:
    for seed in range(start, start + 20):
        check(random_program(seed))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 10_000, 500))
def test_ten_thousand(start: int) -> None:
    for seed in range(start, start + 500):
        check(random_program(seed))
