"""How initial states follow from parameters that may be tensors, as programs; `_initial` runs them."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from . import _core


class Program(NamedTuple):
    """How one state follows from the array parameters.

    Attributes:
        steps: operations, operands first: a name, the places of its operands, and a number.
        value: the place of the result.
        slopes: of each learnable parameter that it depends on, the place among the array parameters and that of the derivative.
        parameters: the places of all parameters that it depends on.
        is_parameter: whether it is nothing but a parameter, with its gradient or without one.
    """

    steps: tuple[tuple[str, tuple[int, ...], float], ...]
    value: int
    slopes: tuple[tuple[int, int], ...]
    parameters: tuple[int, ...]
    is_parameter: bool


@functools.lru_cache(maxsize=256)
def _initial(declaration: str) -> _core.Initial:
    return _core.Initial(declaration)


def programs(spec: dict[str, Any], model: _core.Model) -> tuple[Program | None, ...]:
    """For each state a program, or None if its initial value is a number."""
    if not any(state["varies"] for state in spec["states"]):
        return (None,) * len(spec["states"])
    made: list[Program | None] = []
    for program in _initial(spec["declaration"]).programs(model):
        if program is None:
            made.append(None)
            continue
        listed, value, slopes = program
        # Of tuples, which the compiler takes as constants.
        steps = tuple((name, tuple(operands), number) for name, operands, number in listed)
        # A derivative may be with respect to what is not read.
        read = sorted({int(number) for name, _, number in steps if name == "param"} | {param for param, _ in slopes})
        has_own_slope = all(read == [param] and steps[place] == ("number", (), 1.0) for param, place in slopes)
        is_parameter = steps[value][0] == "param" and len(read) == 1 and has_own_slope
        made.append(Program(steps, value, tuple(slopes), tuple(read), is_parameter))
    return tuple(made)
