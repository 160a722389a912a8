"""Surrogate gradients: what takes the place of the derivative of the Heaviside step in backward passes.

`ATan(alpha=2.0)`, `Sigmoid()` and so on, one class for each surrogate of the library; `equations()` gives formulas, in which
`u` is the distance from the threshold. They are values: immutable, hashable, and equal if class and parameters are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from . import _core

_CATALOGUE: dict[str, dict[str, Any]] = _core.surrogates()


class Surrogate:
    """The base of all surrogates; not one itself."""

    name: ClassVar[str]
    defaults: ClassVar[dict[str, float]]
    __slots__ = ("parameters",)
    parameters: tuple[float, ...]

    def __init__(self, *args: float, **named: float) -> None:
        names = list(self.defaults)
        if len(args) > len(names):
            raise TypeError(f"{self.name} has {len(names)} parameters, {len(args)} given")
        given = dict(zip(names, args))
        for name, value in named.items():
            if name not in self.defaults:
                raise TypeError(
                    f"{self.name} has no parameter {name!r}; its parameters are {', '.join(names) or 'none'}"
                )
            if name in given:
                raise TypeError(f"{self.name}: {name!r} is given twice")
            given[name] = value
        values = tuple(float(given.get(name, default)) for name, default in self.defaults.items())
        object.__setattr__(self, "parameters", values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __getattr__(self, name: str) -> float:
        defaults = type(self).defaults
        if name in defaults:
            return self.parameters[list(defaults).index(name)]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((self.name, self.parameters))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:g}" for name, value in zip(self.defaults, self.parameters))
        return f"{self.name}({values})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parameters

    @classmethod
    def equations(cls) -> dict[str, str]:
        """The primitive and its derivative, which is the surrogate gradient."""
        entry = _CATALOGUE[cls.name]
        return {"primitive": entry["primitive"], "gradient": entry["gradient"]}


def _declare(name: str) -> type[Surrogate]:
    entry = _CATALOGUE[name]
    doc = f"The surrogate `{name}`: the gradient at distance `u` from the threshold is\n`{entry['gradient']}`."
    body = {"__doc__": doc, "__slots__": (), "__module__": __name__, "name": name, "defaults": entry["parameters"]}
    return type(name, (Surrogate,), body)


for _name in _CATALOGUE:
    globals()[_name] = _declare(_name)


#: Parameters that SpikingJelly spells in another way.
_SPELLED = {"t_period": "T_period"}


def of(given: object) -> Surrogate:
    """The surrogate that is meant by one of this module, by a name (`"ATan"`), or by an object of SpikingJelly's
    `surrogate` module.

    Raises:
        ValueError: there is none of that name, or the object has a parameter that is not a number.
    """
    if isinstance(given, Surrogate):
        return given
    name = given if isinstance(given, str) else type(given).__name__
    plain = name.replace("_", "").lower()
    known = next((known for known in _CATALOGUE if known.lower() == plain), None)
    if known is None:
        raise ValueError(f"unknown surrogate {name!r}; known are {', '.join(_CATALOGUE)}")
    cls: type[Surrogate] = globals()[known]
    if isinstance(given, str):
        return cls()
    values = []
    for parameter in cls.defaults:
        value = getattr(given, _SPELLED.get(parameter, parameter), None)
        if not isinstance(value, (int, float)):
            raise ValueError(f"surrogate {name}: {parameter!r} is a {type(value).__name__}, a number expected")
        values.append(value)
    if name == "SquarewaveFourierSeries":
        # Theirs leaves out the last of `n` terms.
        values[0] -= 1
    return cls(*values)


__all__ = ["Surrogate", "of", *_CATALOGUE]
