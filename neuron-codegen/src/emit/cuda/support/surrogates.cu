// The built-in surrogates. Generated from their declarations in the runtime: a test compares this file with them
// and rewrites it on request.

namespace surrogates {

// ATan: 0.5 * alpha / (1 + z^2) where z = 1.5707963267948966 * alpha * u
__device__ __forceinline__ acc_t ATan(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = acc_t(1.5707963267948966) * alpha * u;
    return acc_t(0.5) * alpha * math::reciprocal(acc_t(1.0) + z * z);
}

// Sigmoid: alpha * exp(-abs(z)) / (1 + exp(-abs(z)))^2 where z = alpha * u
__device__ __forceinline__ acc_t Sigmoid(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = alpha * u;
    const acc_t term_1 = math::exp(-math::abs(z));
    const acc_t term_2 = acc_t(1.0) + term_1;
    return alpha * term_1 * math::reciprocal(term_2 * term_2);
}

// PiecewiseQuadratic: if 1 <= z { 0 } else { alpha * (1 - z) } where z = alpha * abs(u)
__device__ __forceinline__ acc_t PiecewiseQuadratic(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = alpha * math::abs(u);
    return acc_t(1.0) <= z ? acc_t(0.0) : alpha * (acc_t(1.0) - z);
}

// PiecewiseExp: 0.5 * alpha * exp(-(alpha * abs(u)))
__device__ __forceinline__ acc_t PiecewiseExp(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    return acc_t(0.5) * alpha * math::exp(-(alpha * math::abs(u)));
}

// SoftSign: 0.5 * alpha / z^2 where z = 1 + alpha * abs(u)
__device__ __forceinline__ acc_t SoftSign(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = acc_t(1.0) + alpha * math::abs(u);
    return acc_t(0.5) * alpha * math::reciprocal(z * z);
}

// SuperSpike: alpha / z^2 where z = 1 + abs(u)
__device__ __forceinline__ acc_t SuperSpike(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = acc_t(1.0) + math::abs(u);
    return alpha * math::reciprocal(z * z);
}

// Erf: 0.5641895835477563 * alpha * exp(-z^2) where z = alpha * u
__device__ __forceinline__ acc_t Erf(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = alpha * u;
    return acc_t(0.5641895835477563) * alpha * math::exp(-(z * z));
}

// QPseudoSpike: power / (1 + z) where q = alpha - 1, z = 2 * abs(u) / q, power = exp(-(q * log1p(z)))
__device__ __forceinline__ acc_t QPseudoSpike(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t q = alpha - acc_t(1.0);
    const acc_t z = acc_t(2.0) * math::abs(u) * math::reciprocal(q);
    const acc_t power = math::exp(-(q * math::log1p(z)));
    return power * math::reciprocal(acc_t(1.0) + z);
}

// Rect: if abs(u) < 0.5 / alpha { alpha } else { 0 }
__device__ __forceinline__ acc_t Rect(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    return u != u ? u : math::abs(u) < acc_t(0.5) * math::reciprocal(alpha) ? alpha : acc_t(0.0);
}

// LeakyKReLU: if u < 0 { leak } else { k }
__device__ __forceinline__ acc_t LeakyKReLU(acc_t u, const acc_t (&values)[4]) {
    const acc_t leak = values[0];
    const acc_t k = values[1];
    return u != u ? u : u < acc_t(0.0) ? leak : k;
}

// PiecewiseLeakyReLU: if u < -w { c } else if u < w { 0.5 / w } else { c }
__device__ __forceinline__ acc_t PiecewiseLeakyReLU(acc_t u, const acc_t (&values)[4]) {
    const acc_t w = values[0];
    const acc_t c = values[1];
    return u != u ? u : u < -w ? c : u < w ? acc_t(0.5) * math::reciprocal(w) : c;
}

// FakeNumericalGradient: if z <= 1 { alpha } else { alpha / z } where z = alpha * abs(u)
__device__ __forceinline__ acc_t FakeNumericalGradient(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t z = alpha * math::abs(u);
    return z <= acc_t(1.0) ? alpha : alpha * math::reciprocal(z);
}

// LogTailedReLU: if u <= 0 { alpha } else if u <= 1 { 1 } else { 1 / u }
__device__ __forceinline__ acc_t LogTailedReLU(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    return u <= acc_t(0.0) ? alpha : u <= acc_t(1.0) ? acc_t(1.0) : math::reciprocal(u);
}

// NonzeroSignLogAbs: alpha / (1 + alpha * abs(u))
__device__ __forceinline__ acc_t NonzeroSignLogAbs(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    return alpha * math::reciprocal(acc_t(1.0) + alpha * math::abs(u));
}

// SquarewaveFourierSeries: 4 * (cos(z) + ((if 2 <= n { cos(3 * z) } else { 0 }) + (if 3 <= n { cos(5 * z) } else { 0 }) + (if 4 <= n { cos(7 * z) } else { 0 }))) / t_period where w = 6.283185307179586 / t_period, z = w * u
__device__ __forceinline__ acc_t SquarewaveFourierSeries(acc_t u, const acc_t (&values)[4]) {
    const acc_t n = values[0];
    const acc_t t_period = values[1];
    const acc_t term_1 = math::reciprocal(t_period);
    const acc_t w = acc_t(6.283185307179586) * term_1;
    const acc_t z = w * u;
    return acc_t(4.0) * (math::cos(z) + ((acc_t(2.0) <= n ? math::cos(acc_t(3.0) * z) : acc_t(0.0)) + (acc_t(3.0) <= n ? math::cos(acc_t(5.0) * z) : acc_t(0.0)) + (acc_t(4.0) <= n ? math::cos(acc_t(7.0) * z) : acc_t(0.0)))) * term_1;
}

// S2NN: if u < 0 { alpha * exp(-abs(z)) / (1 + exp(-abs(z)))^2 } else { beta / (1 + u) } where z = alpha * u
__device__ __forceinline__ acc_t S2NN(acc_t u, const acc_t (&values)[4]) {
    const acc_t alpha = values[0];
    const acc_t beta = values[1];
    const acc_t z = alpha * u;
    const acc_t term_1 = math::exp(-math::abs(z));
    const acc_t term_2 = acc_t(1.0) + term_1;
    return u < acc_t(0.0) ? alpha * term_1 * math::reciprocal(term_2 * term_2) : beta * math::reciprocal(acc_t(1.0) + u);
}

// FastSigmoid: 1 / z^2 where z = 1 + slope * abs(u)
__device__ __forceinline__ acc_t FastSigmoid(acc_t u, const acc_t (&values)[4]) {
    const acc_t slope = values[0];
    const acc_t z = acc_t(1.0) + slope * math::abs(u);
    return math::reciprocal(z * z);
}

} // namespace surrogates

// CASE(index, name) for each of them.
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
    CASE(15, S2NN) \
    CASE(16, FastSigmoid)
