"""Initial states that depend on parameters which are tensors, computed by PyTorch where these are.

As in Rust, they are computed in float64, and their derivatives are those that the library derives. Nothing is copied to the host, so it
works in CUDA graphs, under `torch.compile` and under transforms.
"""

from __future__ import annotations

import operator
from typing import Any, Mapping, Sequence

import torch

from ._programs import Program
from ._vmap import is_transformed


def state(program: Program, given: Sequence[torch.Tensor]) -> torch.Tensor:
    """The state, of the shape to which the parameters that it depends on broadcast; `given` are all array parameters."""
    if program.is_parameter:
        array = given[program.parameters[0]]
        return array if program.slopes else array.detach()
    learned = [(param, place) for param, place in program.slopes if given[param].requires_grad or is_transformed()]
    if not torch.is_grad_enabled():
        learned = []
    doubles = {param: given[param].detach().double() for param in program.parameters}
    last = program.value if not learned else len(program.steps) - 1
    values = _values(program.steps[: last + 1], doubles)
    value, dtype = values[program.value], given[program.parameters[0]].dtype
    if torch.compiler.is_compiling():
        # Exported programs have derivatives of operations only.
        for param, place in learned:
            value = value + _finite(values[place]) * (given[param].double() - doubles[param])
        return value.to(dtype)
    value = value.to(dtype)
    if not learned:
        return value
    # A parameter of which only the derivative is needed has no part in the shape of the value.
    value = value.expand(torch.broadcast_shapes(*[given[param].shape for param in program.parameters]))
    return Linearised.apply(value, *[values[place] for _, place in learned], *[given[param] for param, _ in learned])


def spread(program: Program, given: Sequence[torch.Tensor], like: torch.Tensor, shape: Any) -> torch.Tensor | None:
    """The state of neurons of this shape, on the device of `like`. None if a parameter does not fit: the call refuses it."""
    for param in program.parameters:
        array = given[param]
        missing = len(shape) - array.dim()
        if missing < 0 or array.device != like.device:
            return None
        if any(own != 1 and own != size for own, size in zip(array.shape, shape[missing:])):
            return None
    return state(program, given).expand(shape)


def of_parameters(program: Program, parameters: Mapping[str, torch.Tensor | None], spec: dict[str, Any]) -> torch.Tensor:
    """The state before there are neurons, from all array parameters by name."""
    given = [parameters[param["name"]] for param in spec["params"] if param["array"]]
    # It may be the parameter itself.
    return state(program, given).detach().clone()


class Linearised(torch.autograd.Function):
    """`apply(value, *slopes, *parameters)` is the value, and has the derivatives `slopes`, which are tensors or numbers, with respect
    to the parameters.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(value: torch.Tensor, *rest: Any) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        slopes = inputs[1 : 1 + len(inputs) // 2]
        parameters = inputs[1 + len(inputs) // 2 :]
        ctx.numbers = [None if isinstance(slope, torch.Tensor) else slope for slope in slopes]
        ctx.shapes = [(parameter.shape, parameter.dtype) for parameter in parameters]
        ctx.save_for_backward(*[slope for slope in slopes if isinstance(slope, torch.Tensor)])

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        saved = iter(ctx.saved_tensors)
        slopes = [next(saved) if number is None else number for number in ctx.numbers]
        grads = [(grad * slope).sum_to_size(shape).to(dtype) for slope, (shape, dtype) in zip(slopes, ctx.shapes)]
        return (None, *(None for _ in slopes), *grads)


def _values(steps: Sequence[tuple[str, tuple[int, ...], float]], parameters: Mapping[int, torch.Tensor]) -> list[Any]:
    """The value of every step: a tensor, or a number if it is the same for all neurons."""
    values: list[Any] = []
    for name, operands, number in steps:
        if name == "number":
            values.append(number)
        elif name == "condition":
            values.append(number != 0.0)
        elif name == "param":
            values.append(parameters[int(number)])
        elif name == "pow":
            values.append(values[operands[0]] ** int(number))
        else:
            values.append(_OPERATIONS[name](*[values[place] for place in operands]))
    return values


def _finite(slope: Any) -> Any:
    """Something whose product with 0 is 0."""
    return torch.where(slope.isfinite(), slope, 0.0) if isinstance(slope, torch.Tensor) else slope


def _select(condition: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
    # Of two numbers PyTorch would make float32.
    if not isinstance(a, torch.Tensor):
        a = torch.full_like(condition, a, dtype=torch.float64)
    return torch.where(condition, a, b)


def _exprel(a: torch.Tensor) -> torch.Tensor:
    quotient = torch.expm1(a) / a
    return torch.where(a == 0.0, torch.ones_like(a), torch.where(a == float("inf"), a, quotient))


def _exprel_slope(a: torch.Tensor) -> torch.Tensor:
    """By its series near 0, where the formula loses all digits."""
    total, term = torch.zeros_like(a), torch.full_like(a, 0.5)
    for k in range(24):
        total, term = total + (k + 1.0) * term, term * a / (k + 3.0)
    far = torch.where(a == float("inf"), a, torch.where(a == -float("inf"), 0.0, ((a - 1.0) * torch.exp(a) + 1.0) / (a * a)))
    return torch.where(a.abs() < 1.5, total, far)


_OPERATIONS = {
    "neg": operator.neg, "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "lt": operator.lt, "le": operator.le, "eq": operator.eq, "ne": operator.ne,
    "not": torch.logical_not, "and": operator.and_, "or": operator.or_, "select": _select,
    "min": lambda a, b: _select(a < b, a, b), "max": lambda a, b: _select(a > b, a, b),
    "exp": torch.exp, "ln": torch.log, "expm1": torch.expm1, "log1p": torch.log1p, "sqrt": torch.sqrt, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "abs": torch.abs, "atan": torch.atan, "erf": torch.erf, "sin": torch.sin, "cos": torch.cos,
    "round": torch.round, "floor": torch.floor, "trunc": torch.trunc, "exprel": _exprel, "exprel_slope": _exprel_slope,
}  # fmt: skip
