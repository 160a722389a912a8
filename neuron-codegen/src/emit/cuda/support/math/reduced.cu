#if defined(F64)
// sin and cos of x - k pi / 2 for the nearest k; returns k, of which only the low two bits count. As on the CPU, see
// `math::double`: CUDA's own use an array in local memory for large arguments.
__device__ __forceinline__ int reduced(acc_t x, acc_t &sin, acc_t &cos) {
    // Adding it rounds to an integer, which is then in the lowest bits.
    const acc_t shift = 6755399441055744.0;
    const acc_t shifted = x * 0.63661977236758134308 + shift;
    const acc_t n = shifted - shift;
    acc_t r = x - n * 1.57079632673412561417;
    r = r - n * 6.07710050630396597660e-11;
    r = r - n * 2.02226624879595063154e-21;
    r = bounded(r, -0.8, 0.8);
    const acc_t z = r * r;
    acc_t p = 1.58969099521155010221e-10;
    p = p * z + -2.50507602534068634195e-08;
    p = p * z + 2.75573137070700676789e-06;
    p = p * z + -1.98412698298579493134e-04;
    p = p * z + 8.33333333332248946124e-03;
    p = p * z + -1.66666666666666324348e-01;
    sin = p * z * r + r;
    p = -1.13596475577881948265e-11;
    p = p * z + 2.08757232129817482790e-09;
    p = p * z + -2.75573143513906633035e-07;
    p = p * z + 2.48015872894767294178e-05;
    p = p * z + -1.38888888888741095749e-03;
    p = p * z + 4.16666666666666019037e-02;
    cos = p * z * z - 0.5 * z + 1.0;
    return (int)(__double_as_longlong(shifted) & 3);
}
#else
// sin and cos of x - k pi / 2 for the nearest k; returns k, of which only the low two bits count.
__device__ __forceinline__ int reduced(acc_t x, acc_t &sin, acc_t &cos) {
    // Adding it rounds to an integer, which is then in the lowest bits.
    const acc_t shift = 12582912.0f;
    const acc_t shifted = x * 0.636619772367581f + shift;
    const acc_t n = shifted - shift;
    acc_t r = x - n * 1.5703125f;
    r = r - n * 4.837512969970703125e-4f;
    r = r - n * 7.549789948768648e-8f;
    r = bounded(r, -0.8f, 0.8f);
    const acc_t z = r * r;
    acc_t p = -1.9515295891e-4f;
    p = p * z + 8.3321608736e-3f;
    p = p * z + -1.6666654611e-1f;
    sin = p * z * r + r;
    p = 2.443315711809948e-5f;
    p = p * z + -1.388731625493765e-3f;
    p = p * z + 4.166664568298827e-2f;
    cos = p * z * z - 0.5f * z + 1.0f;
    return (int)__float_as_uint(shifted);
}
#endif
