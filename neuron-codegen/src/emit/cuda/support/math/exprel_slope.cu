#if defined(F64)
// The derivative of exprel.
__device__ __forceinline__ acc_t exprel_slope(acc_t x) {
    acc_t near = 2.7309581630931987791e-15;
    near = near * x + 4.6419548713854830704e-14;
    near = near * x + 7.1662224181553239161e-13;
    near = near * x + 1.0700346431605529374e-11;
    near = near * x + 1.4912031955716957519e-10;
    near = near * x + 1.9270971615601112395e-9;
    near = near * x + 2.2964431939923262022e-8;
    near = near * x + 2.5052106967398486572e-7;
    near = near * x + 2.480158730663155016e-6;
    near = near * x + 2.2045855388768500716e-5;
    near = near * x + 1.7361111111093046504e-4;
    near = near * x + 1.1904761904727595655e-3;
    near = near * x + 6.9444444444444734847e-3;
    near = near * x + 3.3333333333333884895e-2;
    near = near * x + 1.2499999999999999864e-1;
    near = near * x + 3.3333333333333330748e-1;
    near = near * x + 0.5;
    const acc_t divisor = x > 800.0 ? 800.0 : x;
    const acc_t least = divisor < -800.0 ? -800.0 : divisor;
    const acc_t far = ((least - 1.0) * ::exp(least) + 1.0) / (divisor * divisor);
    return abs(x) < 1.5 ? near : far;
}
#else
// The derivative of exprel.
__device__ __forceinline__ acc_t exprel_slope(acc_t x) {
    acc_t near = 2.6158395047e-7f;
    near = near * x + 2.6124456344e-6f;
    near = near * x + 2.2023934599e-5f;
    near = near * x + 1.7334870534e-4f;
    near = near * x + 1.1904938563e-3f;
    near = near * x + 6.944656017e-3f;
    near = near * x + 3.3333328358e-2f;
    near = near * x + 1.249999404e-1f;
    near = near * x + 3.3333333356e-1f;
    near = near * x + 0.5f;
    const Exponent exponent(x, 94.0f);
    const acc_t divisor = x > 94.0f ? 94.0f : x;
    const acc_t least = divisor < -104.0f ? -104.0f : divisor;
    const acc_t numerator = (least - 1.0f) * ((exponent.rest() + 1.0f) * exponent.a()) + exponent.inverse();
    const acc_t far = numerator * reciprocal(divisor * divisor) * exponent.b();
    return abs(x) < 1.5f ? near : far;
}
#endif
