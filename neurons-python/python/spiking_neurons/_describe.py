"""Signatures and documentation of what is made for every neuron, from its specification."""

from __future__ import annotations

import inspect
from typing import Any

OPTIONS = {
    "reset": ("str | None", None),
    "surrogate": ("Surrogate | str", "ATan"),
    "detach_reset": ("bool", False),
    "relaxed": ("bool", False),
    "scan": ("bool", False),
    "spike_dtype": ("dtype | None", None),
}


MODULE_OPTIONS = {
    **OPTIONS,
    "step_mode": ("str", "s"),
    "store_v_seq": ("bool", False),
    "keep_state": ("bool", True),
}


def signature(spec: dict[str, Any], sequence: bool) -> inspect.Signature:
    """That of `<name>_step` or `<name>_multi_step`."""
    kind = inspect.Parameter
    suffix = "_seq" if sequence else ""
    parameters = [kind(f"{name}{suffix}", kind.POSITIONAL_ONLY, annotation="Tensor") for name in spec["inputs"]]
    for state in spec["states"]:
        parameters.append(
            kind(state["name"], kind.POSITIONAL_OR_KEYWORD, default=None, annotation="Tensor | float | None")
        )
    parameters += values(spec)
    for name, (annotation, default) in OPTIONS.items():
        parameters.append(kind(name, kind.KEYWORD_ONLY, default=default, annotation=annotation))
    return inspect.Signature(parameters, return_annotation="tuple[Tensor, ...]")


def values(spec: dict[str, Any]) -> list[inspect.Parameter]:
    """Keyword arguments for parameters and flags."""
    kind = inspect.Parameter
    listed = []
    for param in spec["params"]:
        annotation = "Tensor | float" if param["array"] else "float"
        if param["name"] == "v_reset" and "soft" in spec["resets"]:
            annotation = "float | None"
        listed.append(kind(param["name"], kind.KEYWORD_ONLY, default=param["default"], annotation=annotation))
    for flag in spec["flags"]:
        listed.append(kind(flag["name"], kind.KEYWORD_ONLY, default=flag["default"], annotation="bool"))
    return listed


def plain(doc: str) -> str:
    """A doc comment of Rust, without its links."""
    return doc.replace("](crate::", "] (").replace("[`", "`").replace("`]", "`").strip()


def arguments(spec: dict[str, Any]) -> str:
    """The parameters and flags, one a line."""
    lines = []
    for param in spec["params"]:
        note = param["range"] or ""
        if param["learnable"]:
            note = ", ".join(part for part in (note, "learnable") if part)
        note = f" ({note})" if note else ""
        doc = " ".join(plain(param["doc"]).split()) or {
            "v_threshold": "Threshold.",
            "v_reset": "What `v` is after a hard reset, and before the first step.",
        }.get(param["name"], "")
        lines.append(f"    {param['name']}: {doc}{note}".rstrip())
    for flag in spec["flags"]:
        lines.append(f"    {flag['name']}: {' '.join(plain(flag['doc']).split())}".rstrip())
    return "\n".join(lines)


def documentation(spec: dict[str, Any], sequence: bool) -> str:
    """That of `<name>_step` or `<name>_multi_step`."""
    shape = "`[T, ...]`, `...` being the shape of the states" if sequence else "of any shape, that of the states"
    states = ", ".join(f"`{state['name']}` (initially `{state['init']}`)" for state in spec["states"])
    resets = ", ".join(repr(reset) for reset in spec["resets"])
    return f"""{plain(spec["doc"])}

Inputs are {shape}; float32, float64, float16 or bfloat16. States, each a tensor, a number or None: {states}; float32, or float64 of
float64 data.

Args:
{arguments(spec)}
    reset: {resets}; the first by default. `v_reset=None` is another way to ask for `"soft"`.
    surrogate: the surrogate gradient, of `spiking_neurons.surrogate`.
    detach_reset: whether the reset takes the spike as a constant in backward passes.
    relaxed: the relaxed model, whose exact gradient is the surrogate gradient; CPU only.
    scan: whether a GPU may compute long sequences of few neurons by a scan over time; for steps that are affine in the states.
    spike_dtype: `torch.bool`, `torch.int8` or `torch.uint8` for spikes of one byte, which have no gradient; the input's by default.

Returns:
    `({spec["output"]}{"_seq" if sequence else ""}, {", ".join(state["name"] for state in spec["states"])})`"""


def module_signature(spec: dict[str, Any]) -> inspect.Signature:
    """That of the constructor of a module."""
    kind = inspect.Parameter
    parameters = values(spec)
    for name, (annotation, default) in MODULE_OPTIONS.items():
        parameters.append(kind(name, kind.KEYWORD_ONLY, default=default, annotation=annotation))
    return inspect.Signature(parameters)


def module_documentation(spec: dict[str, Any]) -> str:
    """That of a module."""
    states = ", ".join(f"`{state['name']}` (initially `{state['init']}`)" for state in spec["states"])
    resets = ", ".join(repr(reset) for reset in spec["resets"])
    learnable = ""
    if any(param["learnable"] for param in spec["params"]):
        learnable = """
Learnable parameters are `torch.nn.Parameter`s. A number is one value for all neurons, of shape `[1]`; a tensor is broadcast to the
states: `[C, 1, 1]` is one value a channel, `[C, H, W]` one a neuron.
"""
    return f"""{plain(spec["doc"])}

Called with {", ".join(f"`{name}`" for name in spec["inputs"])}: of any shape in step mode `"s"`, `[T, ...]` in `"m"`; float32,
float64, float16 or bfloat16. Gives `{spec["output"]}` of the same shape and format.
States: {states}; float32, or float64 of float64 data.
{learnable}
Args:
{arguments(spec)}
    reset: {resets}; the first by default. `v_reset=None` is another way to ask for `"soft"`.
    surrogate: the surrogate gradient, of `spiking_neurons.surrogate`.
    detach_reset: whether the reset takes the spike as a constant in backward passes.
    relaxed: the relaxed model, whose exact gradient is the surrogate gradient; CPU only.
    scan: whether a GPU may compute long sequences of few neurons by a scan over time; for steps that are affine in the states.
    spike_dtype: `torch.bool`, `torch.int8` or `torch.uint8` for spikes of one byte, which have no gradient; the input's by default.
    step_mode: `"s"` for one step a call, `"m"` for a sequence.
    store_v_seq: whether to keep the membrane potential after every step of a sequence, in `v_seq`. With gradient this is computed
        step by step, which takes several times as long.
    keep_state: whether the state after a sequence is kept for the next one. If not, every sequence starts at the same state, and
        training takes less memory.
"""
