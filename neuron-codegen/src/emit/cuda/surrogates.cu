// ---- Surrogates ---------------------------------------------------------------------------------------
//
// Made of the declarations in the runtime; a test compares and, if asked to, rewrites this file.

namespace surrogates {

// ATan: 0.5 * alpha / (1 + z^2) where z = 1.5707963267948966 * alpha * u
__device__ __forceinline__ real ATan(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = real(1.5707963267948966) * alpha * u;
    return real(0.5) * alpha * math::reciprocal(real(1.0) + z * z);
}

// Sigmoid: alpha * s * (1 - s) where s = sigmoid(alpha * u)
__device__ __forceinline__ real Sigmoid(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real s = math::sigmoid(alpha * u);
    return alpha * s * (real(1.0) - s);
}

// PiecewiseQuadratic: if 1 <= z { 0 } else { alpha * (1 - z) } where z = alpha * abs(u)
__device__ __forceinline__ real PiecewiseQuadratic(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = alpha * math::abs(u);
    return real(1.0) <= z ? real(0.0) : alpha * (real(1.0) - z);
}

// PiecewiseExp: 0.5 * alpha * exp(-(alpha * abs(u)))
__device__ __forceinline__ real PiecewiseExp(real u, const real (&values)[4]) {
    const real alpha = values[0];
    return real(0.5) * alpha * math::exp(-(alpha * math::abs(u)));
}

// SoftSign: 0.5 * alpha / z^2 where z = 1 + alpha * abs(u)
__device__ __forceinline__ real SoftSign(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = real(1.0) + alpha * math::abs(u);
    return real(0.5) * alpha * math::reciprocal(z * z);
}

// SuperSpike: alpha / z^2 where z = 1 + abs(u)
__device__ __forceinline__ real SuperSpike(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = real(1.0) + math::abs(u);
    return alpha * math::reciprocal(z * z);
}

// Erf: 0.5641895835477563 * alpha * exp(-z^2) where z = alpha * u
__device__ __forceinline__ real Erf(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = alpha * u;
    return real(0.5641895835477563) * alpha * math::exp(-(z * z));
}

// QPseudoSpike: power / z where q = alpha - 1, z = 1 + 2 * abs(u) / q, power = exp(-(q * ln(z)))
__device__ __forceinline__ real QPseudoSpike(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real q = alpha - real(1.0);
    const real z = real(1.0) + real(2.0) * math::abs(u) * math::reciprocal(q);
    const real power = math::exp(-(q * math::ln(z)));
    return power * math::reciprocal(z);
}

// Rect: if abs(u) < 0.5 / alpha { alpha } else { 0 }
__device__ __forceinline__ real Rect(real u, const real (&values)[4]) {
    const real alpha = values[0];
    return u != u ? u : math::abs(u) < real(0.5) * math::reciprocal(alpha) ? alpha : real(0.0);
}

// LeakyKReLU: if u < 0 { leak } else { k }
__device__ __forceinline__ real LeakyKReLU(real u, const real (&values)[4]) {
    const real leak = values[0];
    const real k = values[1];
    return u != u ? u : u < real(0.0) ? leak : k;
}

// PiecewiseLeakyReLU: if u < -w { c } else if u < w { 0.5 / w } else { c }
__device__ __forceinline__ real PiecewiseLeakyReLU(real u, const real (&values)[4]) {
    const real w = values[0];
    const real c = values[1];
    return u != u ? u : u < -w ? c : u < w ? real(0.5) * math::reciprocal(w) : c;
}

// FakeNumericalGradient: if z <= 1 { alpha } else { alpha / z } where z = alpha * abs(u)
__device__ __forceinline__ real FakeNumericalGradient(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real z = alpha * math::abs(u);
    return z <= real(1.0) ? alpha : alpha * math::reciprocal(z);
}

// LogTailedReLU: if u <= 0 { alpha } else if u <= 1 { 1 } else { 1 / u }
__device__ __forceinline__ real LogTailedReLU(real u, const real (&values)[4]) {
    const real alpha = values[0];
    return u <= real(0.0) ? alpha : u <= real(1.0) ? real(1.0) : math::reciprocal(u);
}

// NonzeroSignLogAbs: alpha / (1 + alpha * abs(u))
__device__ __forceinline__ real NonzeroSignLogAbs(real u, const real (&values)[4]) {
    const real alpha = values[0];
    return alpha * math::reciprocal(real(1.0) + alpha * math::abs(u));
}

// SquarewaveFourierSeries: 4 * (cos(z) + ((if 2 <= n { cos(3 * z) } else { 0 }) + (if 3 <= n { cos(5 * z) } else { 0 }) + (if 4 <= n { cos(7 * z) } else { 0 }))) / t_period where w = 6.283185307179586 / t_period, z = w * u
__device__ __forceinline__ real SquarewaveFourierSeries(real u, const real (&values)[4]) {
    const real n = values[0];
    const real t_period = values[1];
    const real term_1 = math::reciprocal(t_period);
    const real w = real(6.283185307179586) * term_1;
    const real z = w * u;
    return real(4.0) * (math::cos(z) + ((real(2.0) <= n ? math::cos(real(3.0) * z) : real(0.0)) + (real(3.0) <= n ? math::cos(real(5.0) * z) : real(0.0)) + (real(4.0) <= n ? math::cos(real(7.0) * z) : real(0.0)))) * term_1;
}

// S2NN: if u < 0 { alpha * s * (1 - s) } else { beta / (1 + u) } where s = sigmoid(alpha * u)
__device__ __forceinline__ real S2NN(real u, const real (&values)[4]) {
    const real alpha = values[0];
    const real beta = values[1];
    const real s = math::sigmoid(alpha * u);
    return u < real(0.0) ? alpha * s * (real(1.0) - s) : beta * math::reciprocal(real(1.0) + u);
}

} // namespace surrogates

// Numbers and names.
#define SURROGATES(CASE) \
    CASE(0, ATan) \
    CASE(1, Sigmoid) \
    CASE(2, PiecewiseQuadratic) \
    CASE(3, PiecewiseExp) \
    CASE(4, SoftSign) \
    CASE(5, SuperSpike) \
    CASE(6, Erf) \
    CASE(7, QPseudoSpike) \
    CASE(8, Rect) \
    CASE(9, LeakyKReLU) \
    CASE(10, PiecewiseLeakyReLU) \
    CASE(11, FakeNumericalGradient) \
    CASE(12, LogTailedReLU) \
    CASE(13, NonzeroSignLogAbs) \
    CASE(14, SquarewaveFourierSeries) \
    CASE(15, S2NN)
