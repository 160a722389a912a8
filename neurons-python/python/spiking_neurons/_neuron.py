"""A neuron as a value, and its kernels prepared for the tensors that it meets."""

from __future__ import annotations

from typing import Any

from . import _core, surrogate as surrogates
from ._programs import programs

SPECS: dict[str, dict[str, Any]] = {spec["name"]: spec for spec in _core.zoo()}

#: Neurons that were declared at run time, by their declaration.
DECLARED: dict[str, _core.Declaration] = {}


def key_of(spec: dict[str, Any]) -> str:
    """What identifies a neuron: its name in the zoo, or its declaration."""
    return spec["name"] if SPECS.get(spec["name"]) is spec else spec["declaration"]


def find(key: str) -> tuple[dict[str, Any], str | _core.Declaration]:
    """The specification of a neuron, and what `_core.Model` knows it by."""
    if key in SPECS:
        return SPECS[key], key
    if key in DECLARED:
        return DECLARED[key].spec, DECLARED[key]
    raise ValueError(f"unknown neuron {key!r}; known are {', '.join(SPECS)}")


class Neuron:
    """A neuron with the values of its parameters, its reset mode and its surrogate gradient.

    Immutable, hashable and picklable; `replace` makes a changed copy.

    Args:
        name: of the zoo, `"Lif"`, say; `spiking_neurons.SPECS` has all. Or the text of a declaration that was given to `declare`.
        reset: one of those that the neuron was declared with, `"hard"` or `"soft"` as a rule; the first one by default. `v_reset=None`
            is another way to ask for `"soft"`.
        surrogate: an object of `spiking_neurons.surrogate`, or its name.
        detach_reset: whether the reset takes the spike as a constant in backward passes.
        relaxed: the relaxed model, with the surrogate's primitive in place of the spike: its exact gradient is the surrogate
            gradient, so `torch.autograd.gradcheck` can check it. CPU only.
        scan: whether a GPU may compute long sequences of few neurons by a scan over time, which takes about half the time. A step has to
            be affine in the states: without reset, as a rule. Results then differ from others by rounding.
        values: parameters and flags by name; those that are learnable can be given as tensors to each call, too.
    """

    __slots__ = (
        "spec",
        "key",
        "values",
        "reset",
        "surrogate",
        "detach_reset",
        "relaxed",
        "scan",
        "initial_state",
        "_programs",
        "_model",
        "_calls",
        "_key",
    )

    def __init__(
        self,
        name: str,
        reset: str | None = None,
        surrogate: object = "ATan",
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        **values: float | bool | None,
    ) -> None:
        spec, model = find(name)
        self.spec, self.key = spec, name
        if "v_reset" in values and values["v_reset"] is None:
            del values["v_reset"]
            if reset not in (None, "soft"):
                raise ValueError(f"{spec['name']}: `v_reset=None` asks for a soft reset, but `reset` is {reset!r}")
            reset = "soft"
        self.reset = spec["resets"][0] if reset is None else reset
        self.surrogate = surrogates.of(surrogate)
        self.detach_reset = bool(detach_reset)
        self.relaxed = bool(relaxed)
        self.scan = bool(scan)
        declared = {entry["name"]: entry["default"] for entry in (*spec["params"], *spec["flags"])}
        self._model = _core.Model(model, values, self.reset)
        if self.scan:
            self._model.check_affine()
        self.values = {key: values.get(key, default) for key, default in declared.items()}
        #: The value of each state before the first step, where parameters have the neuron's own values.
        self.initial_state: tuple[float, ...] = tuple(self._model.initial_state())
        # Now, since the compiler cannot look into it when the neuron is first called.
        self._programs = programs(spec, self._model)
        self._calls: dict[Any, Any] = {}
        settings = (self.reset, self.surrogate, self.detach_reset, self.relaxed, self.scan)
        self._key = (name, *settings, tuple(self.values.values()))

    @property
    def name(self) -> str:
        """`"Lif"`, say."""
        return self.spec["name"]

    def replace(self, **changes: Any) -> Neuron:
        """A copy with other values."""
        settings: dict[str, Any] = {
            "reset": self.reset,
            "surrogate": self.surrogate,
            "detach_reset": self.detach_reset,
            "relaxed": self.relaxed,
            "scan": self.scan,
            **self.values,
        }
        if "v_reset" in changes and changes["v_reset"] is None:
            changes = {"reset": "soft", **changes}
        return Neuron(self.key, **{**settings, **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Neuron) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        values = "".join(f", {name}={value:g}" for name, value in self.values.items())
        return f"Neuron({self.name!r}{values}, reset={self.reset!r}, surrogate={self.surrogate!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        settings = (self.reset, self.surrogate, self.detach_reset, self.relaxed, self.values, self.scan)
        return _restore, (self.key, *settings)


def _restore(
    key: str,
    reset: str,
    surrogate: object,
    detach_reset: bool,
    relaxed: bool,
    values: dict[str, Any],
    # Neurons that were pickled before it existed do not have it.
    scan: bool = False,
) -> Neuron:
    if key not in SPECS:
        from ._declare import declare

        declare(key)
    return Neuron(key, reset, surrogate, detach_reset, relaxed, scan, **values)
