"""Neurons and surrogates that are declared at run time, and variants of existing neurons.

```python
Leaky = spiking_neurons.declare('''
    /// A leaky neuron.
    struct Leaky {
        learnable tau = 2.0 where tau > 1.0;
        charge = v + (x - v) / tau;
        reset hard | soft;
    }
''')
Steep = spiking_neurons.declare_surrogate("surrogate Steep { param a = 8.0 where a > 0.0; primitive = sigmoid(a * u); }")
layer = Leaky(tau=4.0, step_mode="m", surrogate=Steep(a=12.0))
```
"""

from __future__ import annotations

import dataclasses
import threading
import warnings
from typing import TYPE_CHECKING, Any, Callable, Mapping

from . import _core, _neuron, surrogate as surrogates

#: A declaration is read and registered once, whoever asks for it first.
_LOCK = threading.Lock()

if TYPE_CHECKING:
    from .nn import Node


@dataclasses.dataclass(frozen=True)
class Problem:
    """An error or a warning about a declaration.

    Attributes:
        level: `"error"` or `"warning"`.
        message: what is wrong.
        hints: what to do about it.
        line: the line of its first character, from 1.
        column: the column of that character, from 1.
    """

    level: str
    message: str
    hints: tuple[str, ...]
    line: int
    column: int


class DeclarationError(ValueError):
    """A declaration has mistakes: all of them, with the lines they are in and hints, as the Rust macro reports them.

    Attributes:
        problems: each `Problem`, in the order of the text.
        declaration: the text.
    """

    def __init__(self, message: str, problems: list[Problem], declaration: str) -> None:
        super().__init__(message, problems, declaration)
        self.problems, self.declaration = problems, declaration

    def __str__(self) -> str:
        return self.args[0]


class DeclarationWarning(UserWarning):
    """Something in a declaration is probably a mistake."""


def declare(declaration: str) -> type[Node]:
    """A module class for a neuron, from its declaration: that of the Rust macro `neuron!`, described in `docs/language.md`.

    The class is used as those of the zoo; its functions are `step` and `multi_step`. On the CPU an interpreter runs the neuron's
    step programs; on a GPU its kernels are compiled by NVRTC when they are first used. Results are, bit for bit, those of the
    neuron compiled by the macro. Instances can be pickled and copied: the text is part of them. The same text gives the same class.

    Args:
        declaration: `struct Name { .. }`, after doc comments if any.

    Raises:
        DeclarationError: with all mistakes.
        ValueError: a name that a module of Python cannot have.

    Warns:
        DeclarationWarning: about what is accepted, but probably not as meant.
    """
    from . import nn

    return _once(nn.declared, declaration, _declare)


def _once(known: Mapping[str, type], declaration: str, make: Callable[[str], type]) -> Any:
    """The class of a declaration, made by whoever asks for it first."""
    found = known.get(declaration)
    if found is not None:
        return found
    with _LOCK:
        found = known.get(declaration)
        return make(declaration) if found is None else found


def _declare(declaration: str) -> type[Node]:
    from . import nn, ops

    parsed = _parse(_core.Declaration, declaration)
    spec = parsed.spec
    nn.check_names(spec)
    _neuron.DECLARED[spec["declaration"]] = parsed
    # Now, since the compiler cannot look into it when the neuron is first called.
    ops.define(spec["declaration"])
    cls = nn.declared.setdefault(spec["declaration"], nn.make(spec))
    nn.declared[declaration] = cls
    return cls


def declare_surrogate(declaration: str) -> type[surrogates.Surrogate]:
    """A class for a surrogate gradient, from its declaration: that of the Rust macro `surrogate!`, described in `docs/language.md`.

    Its parameters are the arguments of the class, and instances are used as those of `spiking_neurons.surrogate`, with any neuron. On
    the CPU an interpreter computes it; on a GPU it is compiled by NVRTC into the kernels of the neuron when they are first used.
    Results are, bit for bit, those of the surrogate compiled by the macro. A pickled instance contains the text. The same text gives
    the same class.

    Args:
        declaration: `surrogate Name { .. }`, after doc comments if any.

    Raises:
        DeclarationError: with all mistakes.
        ValueError: a name that a class of Python cannot have.

    Warns:
        DeclarationWarning: about what is accepted, but probably not as meant.
    """
    return _once(surrogates.declared, declaration, _declare_surrogate)


def _declare_surrogate(declaration: str) -> type[surrogates.Surrogate]:
    parsed = _parse(_core.SurrogateDeclaration, declaration)
    entry = parsed.description
    surrogates.check_names(entry)
    cls = surrogates.declared.setdefault(entry["declaration"], surrogates.make(entry, parsed))
    surrogates.declared[declaration] = cls
    return cls


def _parse(kind: Any, declaration: str) -> Any:
    """A declaration of that kind, without errors."""
    parsed, found, text = kind.parse(declaration)
    problems = [Problem(**{**entry, "hints": tuple(entry["hints"])}) for entry in found]
    if parsed is None:
        raise DeclarationError(text, problems, declaration)
    if problems:
        warnings.warn(text, DeclarationWarning, stacklevel=5)
    return parsed


def of_kind(base: type[Node], prefix: str, kind: str, parameters: tuple[str, ...]) -> type[Node]:
    """`base` with parameters of another kind, `"learnable"` or `"array"`."""
    for name in parameters:
        if not name.isidentifier():
            raise ValueError(f"{base.spec['name']}: {name!r} is not the name of a parameter")
    return redeclare(base, prefix + base.spec["name"], f"{kind} {', '.join(parameters)};")


def redeclare(base: type[Node], name: str, changes: str) -> type[Node]:
    """A neuron that is `base` with changes: parameters `learnable`, or one value for each neuron (`array`), or a transformed input.

    ```python
    Learned = redeclare(Lif, "Learned", "learnable tau, v_threshold;")
    Scaled = redeclare(Lif, "Scaled", "learnable scale = 1.0; learnable shift = 0.0; input x = scale * x + shift;")
    ```

    Raises:
        ValueError: a change that cannot be made.
        DeclarationError: what has been changed is not a neuron.
    """
    return declare(_core.redeclared(name, changes, base.spec["declaration"]))


class Equations(Mapping[str, str]):
    """Equations by what they are of; typeset in notebooks.

    `latex` has them as the inside of an `aligned` environment.
    """

    def __init__(self, equations: Mapping[str, str], latex: str) -> None:
        self._equations, self.latex = dict(equations), latex

    def __getitem__(self, name: str) -> str:
        return self._equations[name]

    def __iter__(self) -> Any:
        return iter(self._equations)

    def __len__(self) -> int:
        return len(self._equations)

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {equation}" for name, equation in self._equations.items())

    def _repr_latex_(self) -> str:
        return f"$$\\begin{{aligned}}\n{self.latex}\n\\end{{aligned}}$$"
