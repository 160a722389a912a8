"""Surrogate gradients: what takes the place of the derivative of the Heaviside step in backward passes.

`ATan(alpha=2.0)`, `Sigmoid()` and so on, one class for each surrogate of the library; `spiking_neurons.declare_surrogate` makes
classes for others. `equations()` gives formulas, in which `u` is the distance from the threshold. Surrogates are values: immutable,
hashable, and equal if class and parameters are.
"""

from __future__ import annotations

import keyword
from typing import Any, ClassVar

from . import _core

_CATALOGUE: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in _core.surrogates()}

#: Classes of surrogates that were declared at run time, by their declaration.
declared: dict[str, type[Surrogate]] = {}


class Surrogate:
    """The base of all surrogates; not one itself."""

    name: ClassVar[str]
    defaults: ClassVar[dict[str, float]]
    #: What identifies it: its name in the library, or its declaration.
    key: ClassVar[str]
    #: What `_core` knows it by.
    _known: ClassVar[str | _core.SurrogateDeclaration]
    _equations: ClassVar[dict[str, str]]
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
        if type(self) is declared.get(self.key):
            # No module has its class.
            return _restore, (self.key, self.parameters)
        return type(self), self.parameters

    @classmethod
    def equations(cls) -> dict[str, str]:
        """The primitive and its derivative, which is the surrogate gradient."""
        return dict(cls._equations)


def make(entry: dict[str, Any], known: str | _core.SurrogateDeclaration) -> type[Surrogate]:
    """The class of a surrogate."""
    name = entry["name"]
    doc = f"The surrogate `{name}`: the gradient at distance `u` from the threshold is\n`{entry['gradient']}`."
    body = {
        "__doc__": f"{entry['doc']}\n\n{doc}" if entry.get("doc") else doc,
        "__slots__": (),
        "__module__": __name__,
        "name": name,
        "defaults": entry["parameters"],
        "key": entry.get("declaration", name),
        "_known": known,
        "_equations": {"primitive": entry["primitive"], "gradient": entry["gradient"]},
    }
    return type(name, (Surrogate,), body)


for _name, _entry in _CATALOGUE.items():
    globals()[_name] = make(_entry, _name)


def check_names(entry: dict[str, Any]) -> None:
    """Refuses names that a class cannot have.

    Raises:
        ValueError: a keyword of Python, or an attribute of every surrogate.
    """
    for name in entry["parameters"]:
        if hasattr(Surrogate, name) or name in Surrogate.__annotations__:
            raise ValueError(f"{entry['name']}: `{name}` is an attribute of every surrogate; another name expected")
    for name in (entry["name"], *entry["parameters"]):
        if keyword.iskeyword(name):
            raise ValueError(f"{entry['name']}: `{name}` is a keyword of Python; another name expected")


def find(key: str) -> type[Surrogate]:
    """The class that `key` identifies, declared if it has not been in this process."""
    if key in _CATALOGUE:
        return globals()[key]
    if key not in declared:
        from ._declare import declare_surrogate

        return declare_surrogate(key)
    return declared[key]


def _restore(key: str, parameters: tuple[float, ...]) -> Surrogate:
    return find(key)(*parameters)


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
