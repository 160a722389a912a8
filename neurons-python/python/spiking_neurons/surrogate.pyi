# Written by stubs.py from the specifications of the neurons.
from typing import ClassVar

class Surrogate:
    name: ClassVar[str]
    defaults: ClassVar[dict[str, float]]
    key: ClassVar[str]
    parameters: tuple[float, ...]
    def __init__(self, *args: float, **named: float) -> None: ...
    def __hash__(self) -> int: ...
    @classmethod
    def equations(cls) -> dict[str, str]: ...

def of(given: object) -> Surrogate: ...

class ATan(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 2.0) -> None: ...

class Sigmoid(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 4.0) -> None: ...

class PiecewiseQuadratic(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 1.0) -> None: ...

class PiecewiseExp(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 1.0) -> None: ...

class SoftSign(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 2.0) -> None: ...

class SuperSpike(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 1.0) -> None: ...

class Erf(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 2.0) -> None: ...

class QPseudoSpike(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 2.0) -> None: ...

class Rect(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 1.0) -> None: ...

class LeakyKReLU(Surrogate):
    leak: float
    k: float
    def __init__(self, leak: float = 0.0, k: float = 1.0) -> None: ...

class PiecewiseLeakyReLU(Surrogate):
    w: float
    c: float
    def __init__(self, w: float = 1.0, c: float = 0.01) -> None: ...

class FakeNumericalGradient(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 0.3) -> None: ...

class LogTailedReLU(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 0.0) -> None: ...

class NonzeroSignLogAbs(Surrogate):
    alpha: float
    def __init__(self, alpha: float = 1.0) -> None: ...

class SquarewaveFourierSeries(Surrogate):
    n: float
    t_period: float
    def __init__(self, n: float = 2.0, t_period: float = 8.0) -> None: ...

class S2NN(Surrogate):
    alpha: float
    beta: float
    def __init__(self, alpha: float = 4.0, beta: float = 1.0) -> None: ...

class FastSigmoid(Surrogate):
    slope: float
    def __init__(self, slope: float = 25.0) -> None: ...
