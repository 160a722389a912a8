# Written by stubs.py from the specifications of the neurons.
from typing import Any, Callable, ClassVar

import torch
from torch import Tensor, dtype

from ._declare import Equations
from ._neuron import Neuron
from .surrogate import Surrogate

class Node(torch.nn.Module):
    spec: ClassVar[dict[str, Any]]
    neuron: Neuron
    step_mode: str
    store_v_seq: bool
    keep_state: bool
    spike_dtype: dtype | None
    v_seq: Tensor | None
    v: Any
    surrogate: Any
    detach_reset: bool
    relaxed: bool
    scan: bool
    def forward(self, *inputs: Tensor) -> Tensor: ...
    def __call__(self, *inputs: Tensor) -> Tensor: ...
    def normalised(self, norm: torch.nn.modules.batchnorm._BatchNorm, x: Tensor) -> Tensor: ...
    def reset(self) -> None: ...
    def detach(self) -> None: ...
    @property
    def states(self) -> dict[str, Tensor | float]: ...
    step: Callable[..., tuple[Tensor, ...]]
    multi_step: Callable[..., tuple[Tensor, ...]]
    @classmethod
    def with_learnable(cls, *parameters: str) -> type[Node]: ...
    @classmethod
    def with_array(cls, *parameters: str) -> type[Node]: ...
    @classmethod
    def equations(cls) -> Equations: ...
    @classmethod
    def derivatives(cls) -> Equations: ...
    @classmethod
    def cuda_source(cls, template: str | None = None, reset: str | None = None) -> str: ...

class BatchNormNode(torch.nn.Module):
    norm: torch.nn.modules.batchnorm._BatchNorm
    node: Node
    def __init__(self, norm: torch.nn.modules.batchnorm._BatchNorm, node: Node) -> None: ...
    def forward(self, x: Tensor) -> Tensor: ...
    def __call__(self, x: Tensor) -> Tensor: ...
    def reset(self) -> None: ...
    def detach(self) -> None: ...

class If(Node):
    v_threshold: float
    v_reset: float
    v: Any
    def __init__(
        self,
        *,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Lif(Node):
    tau: float
    v_threshold: float
    v_reset: float
    decay_input: bool
    v: Any
    def __init__(
        self,
        *,
        tau: float = 100.0,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        decay_input: bool = True,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class RestingLif(Node):
    tau: float
    v_rest: float
    v_threshold: float
    v_reset: float
    v: Any
    def __init__(
        self,
        *,
        tau: float = 10.0,
        v_rest: float = -65.0,
        v_threshold: float = -50.0,
        v_reset: float | None = -70.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Plif(Node):
    w: torch.nn.Parameter
    v_threshold: float
    v_reset: float
    decay_input: bool
    v: Any
    def __init__(
        self,
        *,
        w: Tensor | float = 0.0,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        decay_input: bool = True,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Klif(Node):
    k: torch.nn.Parameter
    tau: float
    v_threshold: float
    v_reset: float
    decay_input: bool
    v: Any
    def __init__(
        self,
        *,
        k: Tensor | float = 1.0,
        tau: float = 2.0,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        decay_input: bool = True,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Glif(Node):
    alpha: torch.nn.Parameter
    beta: torch.nn.Parameter
    gamma: torch.nn.Parameter
    tau: torch.nn.Parameter
    linear_decay: torch.nn.Parameter
    v_subreset: torch.nn.Parameter
    v_threshold: torch.nn.Parameter
    v_reset: float
    v: Any
    last: Any
    def __init__(
        self,
        *,
        alpha: Tensor | float = 0.0,
        beta: Tensor | float = 0.0,
        gamma: Tensor | float = 0.0,
        tau: Tensor | float = -1.0986122886681096,
        linear_decay: Tensor | float = -3.4339872044851463,
        v_subreset: Tensor | float = 0.0,
        v_threshold: Tensor | float = 0.0,
        v_reset: float = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Ilif(Node):
    tau: float
    levels: float
    v_threshold: float
    v_reset: float
    v: Any
    def __init__(
        self,
        *,
        tau: float = 1.3333333333333333,
        levels: float = 4.0,
        v_threshold: float = 1.0,
        v_reset: float = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class LeakyIntegrator(Node):
    tau: float
    v_threshold: float
    v_reset: float
    decay_input: bool
    v: Any
    def __init__(
        self,
        *,
        tau: float = 2.0,
        v_threshold: float = 1.0,
        v_reset: float = 0.0,
        decay_input: bool = True,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class CubaLif(Node):
    tau_syn: float
    tau_mem: float
    v_threshold: float
    v_reset: float
    v: Any
    i: Any
    def __init__(
        self,
        *,
        tau_syn: float = 5.0,
        tau_mem: float = 10.0,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Alif(Node):
    tau: float
    tau_a: float
    beta: float
    v_threshold: float
    v_reset: float
    v: Any
    a: Any
    def __init__(
        self,
        *,
        tau: float = 20.0,
        tau_a: float = 200.0,
        beta: float = 1.6,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class RefractoryLif(Node):
    tau: float
    c_m: float
    e_l: float
    t_ref: float
    dt: float
    v_threshold: float
    v_reset: float
    v: Any
    refractory: Any
    remainder: Any
    def __init__(
        self,
        *,
        tau: float = 10.0,
        c_m: float = 250.0,
        e_l: float = -70.0,
        t_ref: float = 2.0,
        dt: float = 0.1,
        v_threshold: float = -55.0,
        v_reset: float = -70.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Qif(Node):
    tau: float
    v_rest: float
    v_c: float
    a0: float
    v_reset: float
    v_threshold: float
    v: Any
    def __init__(
        self,
        *,
        tau: float = 2.0,
        v_rest: float = 0.0,
        v_c: float = 0.8,
        a0: float = 1.0,
        v_reset: float | None = -0.1,
        v_threshold: float = 1.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Eif(Node):
    tau: float
    v_rest: float
    theta_rh: float
    delta_t: float
    v_reset: float
    v_threshold: float
    v: Any
    def __init__(
        self,
        *,
        tau: float = 2.0,
        v_rest: float = 0.0,
        theta_rh: float = 0.8,
        delta_t: float = 1.0,
        v_reset: float | None = -0.1,
        v_threshold: float = 1.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class AdaptiveQif(Node):
    tau: float
    v_rest: float
    v_c: float
    a0: float
    a: float
    b: float
    tau_w: float
    v_reset: float
    v_threshold: float
    v: Any
    w: Any
    def __init__(
        self,
        *,
        tau: float = 2.0,
        v_rest: float = 0.0,
        v_c: float = 0.8,
        a0: float = 1.0,
        a: float = 0.0,
        b: float = 0.0,
        tau_w: float = 2.0,
        v_reset: float | None = -0.1,
        v_threshold: float = 1.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class Izhikevich(Node):
    a: float
    b: float
    d: float
    dt: float
    v_threshold: float
    v_reset: float
    v: Any
    u: Any
    def __init__(
        self,
        *,
        a: float = 0.02,
        b: float = 0.2,
        d: float = 8.0,
        dt: float = 0.1,
        v_threshold: float = 30.0,
        v_reset: float = -65.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class AdEx(Node):
    c_m: float
    g_l: float
    e_l: float
    v_t: float
    delta_t: float
    a: float
    b: float
    tau_w: float
    dt: float
    v_threshold: float
    v_reset: float
    v: Any
    w: Any
    def __init__(
        self,
        *,
        c_m: float = 281.0,
        g_l: float = 30.0,
        e_l: float = -70.6,
        v_t: float = -50.4,
        delta_t: float = 2.0,
        a: float = 4.0,
        b: float = 80.5,
        tau_w: float = 144.0,
        dt: float = 0.1,
        v_threshold: float = 0.0,
        v_reset: float = -70.6,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...

class ResonateAndFire(Node):
    b: float
    omega: float
    dt: float
    v_threshold: float
    v_reset: float
    v: Any
    u: Any
    def __init__(
        self,
        *,
        b: float = -0.2,
        omega: float = 1.0,
        dt: float = 1.0,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        reset: str | None = None,
        surrogate: Surrogate | str = 'ATan',
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: dtype | None = None,
        step_mode: str = 's',
        store_v_seq: bool = False,
        keep_state: bool = True,
    ) -> None: ...
