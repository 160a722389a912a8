// What CUDA C++ has and C++ lacks, as far as the emitted kernels use it: they compile with a host compiler,
// and a launch is a loop over thread indices. Half-precision conversions, instructions on a GPU, are bits
// here.

#include <cmath>
#include <cstring>
#include <ucontext.h>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static thread_local

namespace shim {

struct Index {
    unsigned x, y, z;
};

// Fewer threads than a warp has: a few neurons already make several blocks, and the last has idle threads.
constexpr unsigned BLOCK = 16;

} // namespace shim

static thread_local shim::Index blockIdx, threadIdx;
static const shim::Index blockDim = {shim::BLOCK, 1, 1};

namespace shim {

// Calls `kernel` once a thread, in blocks, as a launch for `threads` neurons does.
template <typename Kernel> void launch(unsigned long long threads, Kernel kernel) {
    const unsigned blocks = (unsigned)((threads + BLOCK - 1) / BLOCK);
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
        for (threadIdx.x = 0; threadIdx.x < BLOCK; ++threadIdx.x) kernel();
    }
}

// Threads that wait for each other, each with a stack of its own: those of a warp where they vote, those of a block where
// they meet.
struct Threads {
    static constexpr unsigned MOST = 16 * 32;

    ucontext_t threads[MOST], scheduler;
    char stacks[MOST][1 << 16];
    bool is_done[MOST];
    unsigned count, thread, votes, outcome;

    // Returns when all threads have called it, or `vote`.
    void wait() { swapcontext(&threads[thread], &scheduler); }

    // What all threads vote, once all have.
    unsigned vote(bool bit) {
        votes |= (unsigned)bit << thread;
        wait();
        return outcome;
    }

    void start(unsigned of, void (*body)()) {
        getcontext(&threads[of]);
        threads[of].uc_stack.ss_sp = stacks[of];
        threads[of].uc_stack.ss_size = sizeof stacks[of];
        threads[of].uc_link = &scheduler;
        makecontext(&threads[of], body, 0);
        is_done[of] = false;
    }

    // Lets every thread go on to where it waits next, or to its end. Whether one is left. The first thread is thread `first`
    // of all, in blocks of `block`.
    bool advance(unsigned first, unsigned block) {
        bool is_any_left = false;
        votes = 0;
        for (thread = 0; thread < count; ++thread) {
            if (is_done[thread]) continue;
            blockIdx.x = (first + thread) / block;
            threadIdx.x = (first + thread) % block;
            swapcontext(&scheduler, &threads[thread]);
            is_any_left = is_any_left || !is_done[thread];
        }
        outcome = votes;
        return is_any_left;
    }
};

static thread_local Threads *together = nullptr;

// Calls `kernel` for `count` threads at once, which are in blocks of `block`, until all of `threads` have been.
template <typename Kernel>
void launch_together(unsigned count, unsigned block, unsigned long long threads, Kernel kernel) {
    static thread_local Kernel *body;
    body = &kernel;
    if (!together) together = new Threads;
    together->count = count;
    for (unsigned first = 0; first < threads; first += count) {
        for (unsigned thread = 0; thread < count; ++thread) {
            together->start(thread, [] {
                (*body)();
                together->is_done[together->thread] = true;
            });
        }
        while (together->advance(first, block)) {}
    }
}

// Calls `kernel` once a thread, as `launch` does, in warps.
template <typename Kernel> void launch_warps(unsigned long long threads, Kernel kernel) {
    launch_together(32, BLOCK, threads, kernel);
}

// Calls `kernel` for blocks of so many threads, each for 32 neurons.
template <typename Kernel> void launch_blocks(unsigned block, unsigned long long neurons, Kernel kernel) {
    launch_together(block, block, (neurons + 31) / 32 * block, kernel);
}

// An argument as the driver takes it: copied from where the pointer says.
template <typename Argument> Argument argument(const void *place) {
    Argument value;
    std::memcpy(&value, place, sizeof value);
    return value;
}

template <typename To, typename From> To bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "reinterpreted, not converted");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

} // namespace shim

static inline void __syncthreads() { shim::together->wait(); }
static inline unsigned __ballot_sync(unsigned, bool bit) { return shim::together->vote(bit); }
static inline unsigned __float_as_uint(float value) { return shim::bits<unsigned>(value); }
static inline float __uint_as_float(unsigned value) { return shim::bits<float>(value); }
static inline float __int_as_float(int value) { return shim::bits<float>(value); }
static inline long long __double_as_longlong(double value) { return shim::bits<long long>(value); }

static inline float float_from_half(unsigned short half) {
    const unsigned sign = (half & 0x8000u) << 16;
    const unsigned exponent = (half >> 10) & 0x1fu;
    const unsigned fraction = half & 0x3ffu;
    if (exponent == 0) {
        // Zero or subnormal: the fraction in units of 2^-24, which float32 has exactly.
        return __uint_as_float(sign | __float_as_uint((float)fraction * 5.9604644775390625e-8f));
    }
    const unsigned wide = exponent == 0x1fu ? 0xffu : exponent + (127 - 15);
    return __uint_as_float(sign | wide << 23 | fraction << 13);
}

// To nearest, ties to even.
static inline unsigned short half_from_float(float value) {
    const unsigned bits = __float_as_uint(value);
    const unsigned sign = (bits >> 16) & 0x8000u;
    const unsigned magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (unsigned short)(sign | 0x7e00u);
    // From 65520 on, half-way between the largest number and the one that would follow.
    if (magnitude >= 0x477ff000u) return (unsigned short)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
        // Below 2^-14, in units of 2^-24: adding 2^23 rounds to an integer, which is then in the lowest bits.
        const float units = __uint_as_float(magnitude) * 16777216.0f + 8388608.0f;
        return (unsigned short)(sign | (__float_as_uint(units) - 0x4b000000u));
    }
    const unsigned rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return (unsigned short)(sign | (rounded - 0x38000000u) >> 13);
}
