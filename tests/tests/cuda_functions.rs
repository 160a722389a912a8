//! The functions and number formats of the CUDA support code, compiled as C++, against the runtime's: the same
//! bits over all of float32.

use half::{bf16, f16};
use libloading::Library;
use neuron_codegen::emit::cuda::{Part, support};
use neurons::cuda::source_with;
use neurons::{Element, Surrogate, math};
use neurons_tests::compare::same_bits;
use neurons_tests::host_cuda::Compiler;
use rayon::prelude::*;

/// Where formulas or results change, besides 0 and infinity.
const PLACES: [f32; 22] = [
    0.346_573_6,
    0.414_213_57,
    0.625,
    1.0,
    1.5,
    std::f32::consts::FRAC_PI_2,
    2.414_213_6,
    4.0,
    33_554_432.0,
    88.722_84,
    89.0,
    93.26,
    93.28,
    94.0,
    103.972_08,
    104.0,
    65504.0,
    65520.0,
    f32::MIN_POSITIVE,
    f32::MAX,
    6.103_515_6e-5,
    5.960_464_5e-8,
];

/// Every 1009th float32, NaN of all kinds included, and all near special ones.
fn inputs() -> Vec<f32> {
    let special = [0.0f32, f32::INFINITY].into_iter().chain(PLACES);
    let near = special.flat_map(|value| (-3..=3).map(move |i| value.to_bits().wrapping_add_signed(i)));
    let both = near.flat_map(|bits| [bits, bits ^ 1 << 31]);
    (0..=u32::MAX).step_by(1009).chain(both).map(f32::from_bits).collect()
}

/// All support code but kernels.
fn everything() -> String {
    support(Part::ALL.iter().copied())
}

/// `text` compiled behind all support code for one format, or `None` without a compiler.
fn compiled(format: &str, text: &str) -> Option<Library> {
    let compiler = Compiler::find()?;
    let directory = tempfile::tempdir().unwrap();
    Some(compiler.load(directory.path(), "functions", format, &format!("{}\n{text}", everything())))
}

/// A C++ function over arrays: `to` of each `from`, of which `value` is the expression in `in[i]`.
fn loop_over(name: &str, from: &str, to: &str, value: &str) -> String {
    format!(
        "extern \"C\" void {name}(const {from} *in, {to} *out, u64 count) {{
    for (u64 i = 0; i < count; ++i) out[i] = {value};
}}\n"
    )
}

/// What the function made by [`loop_over`] returns for `inputs`.
///
/// # Safety
/// `library` defines `name` over arrays of `A` and `B`.
unsafe fn call<A, B: Clone + Default>(library: &Library, name: &str, inputs: &[A]) -> Vec<B> {
    let mut outputs = vec![B::default(); inputs.len()];
    type Loop<A, B> = unsafe extern "C" fn(*const A, *mut B, u64);
    // SAFETY: the caller answers for the type; both arrays are `count` long.
    unsafe {
        let function = library.get::<Loop<A, B>>(name.as_bytes()).unwrap();
        function(inputs.as_ptr(), outputs.as_mut_ptr(), inputs.len() as u64);
    }
    outputs
}

fn is_same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[test]
fn functions() {
    // Functions of two numbers take as the second the bits of the first, rotated.
    let other = |x: f32| f32::from_bits(x.to_bits().rotate_left(9));
    let rotated = "__uint_as_float(__float_as_uint(in[i]) << 9 | __float_as_uint(in[i]) >> 23)";
    type Function = fn(f32) -> f32;
    type OfTwo = fn(f32, f32) -> f32;
    let functions: [(&str, Function); 18] = [
        ("reciprocal", math::reciprocal),
        ("exp", math::exp),
        ("ln", math::ln),
        ("expm1", math::expm1),
        ("log1p", math::log1p),
        ("exprel", math::exprel),
        ("exprel_slope", math::exprel_slope),
        ("sqrt", math::sqrt),
        ("tanh", math::tanh),
        ("sigmoid", math::sigmoid),
        ("abs", math::abs),
        ("atan", math::atan),
        ("erf", math::erf),
        ("sin", math::sin),
        ("cos", math::cos),
        ("round", math::round),
        ("floor", math::floor),
        ("trunc", math::trunc),
    ];
    let pairs: [(&str, OfTwo); 2] = [("min", math::min), ("max", math::max)];
    let mut text = String::new();
    for (name, _) in functions {
        text += &loop_over(&format!("all_{name}"), "acc_t", "acc_t", &format!("math::{name}(in[i])"));
    }
    for (name, _) in pairs {
        let value = format!("math::{name}(in[i], {rotated})");
        text += &loop_over(&format!("all_{name}"), "acc_t", "acc_t", &value);
    }
    let Some(library) = compiled("f32", &text) else { return };
    let inputs = inputs();
    let check = |name: &str, expected: &(dyn Fn(f32) -> f32 + Sync)| {
        // SAFETY: defined above, over arrays of float.
        let outputs: Vec<f32> = unsafe { call(&library, &format!("all_{name}"), &inputs) };
        for (&x, actual) in inputs.iter().zip(outputs) {
            let expected = expected(x);
            assert!(is_same(actual, expected), "{name}({x:e}) is {actual:e}, on the CPU {expected:e}");
        }
    };
    functions.par_iter().for_each(|(name, expected)| check(name, expected));
    pairs.par_iter().for_each(|(name, expected)| check(name, &|x| expected(x, other(x))));
    println!("{} functions give the same bits at {} places", functions.len() + pairs.len(), inputs.len());
}

neurons::surrogate! { surrogate Own { param a = 3.0; param b = 0.5; primitive = sigmoid(a * u) + b * tanh(u); } }

/// A loop over the surrogate, as a launch with it calls it.
fn surrogate_loop(surrogate: &Surrogate) -> String {
    let (kind, index) =
        surrogate.index().map_or(("custom", Surrogate::all().count() as u32), |index| ("listed", index));
    let values: Vec<String> = surrogate.parameters().map(|(_, value)| format!("acc_t({value:?})")).collect();
    loop_over(
        &format!("{kind}_{index}"),
        "acc_t",
        "acc_t",
        &format!(
            "[&] {{ acc_t u[1] = {{in[i]}}; surrogates::apply(SurrogateGradient{{{index}, 0, {{{}}}}}, u, 1); return u[0]; }}()",
            values.join(", ")
        ),
    )
}

#[test]
fn surrogates() {
    let own = Surrogate::from(Own::default());
    let listed: String = Surrogate::all().map(|surrogate| surrogate_loop(&surrogate)).collect();
    let Some(library) = compiled("f32", &listed) else { return };
    let Some(compiler) = Compiler::find() else { return };
    let directory = tempfile::tempdir().unwrap();
    // The surrogate brings the functions that it calls: `tanh` is not among those of the others.
    let source = source_with(&support([Part::Apply]), own) + &surrogate_loop(&own);
    let own_library = compiler.load(directory.path(), "own", "f32", &source);
    let inputs = inputs();
    let check = |surrogate: Surrogate, library: &Library, name: &str| {
        // SAFETY: defined above, over arrays of float.
        let outputs: Vec<f32> = unsafe { call(library, name, &inputs) };
        let mut expected = inputs.clone();
        surrogate.gradients_in(&mut expected);
        for ((&u, actual), expected) in inputs.iter().zip(outputs).zip(expected) {
            assert!(is_same(actual, expected), "{surrogate} at {u:e} is {actual:e}, on the CPU {expected:e}");
        }
    };
    let all: Vec<Surrogate> = Surrogate::all().collect();
    all.par_iter().enumerate().for_each(|(i, surrogate)| check(*surrogate, &library, &format!("listed_{i}")));
    check(own, &own_library, &format!("custom_{}", all.len()));
    println!("{} surrogates give the same bits at {} places", all.len() + 1, inputs.len());
}

#[test]
fn sine_and_cosine_of_double() {
    let text = loop_over("all_sin", "acc_t", "acc_t", "math::sin(in[i])")
        + &loop_over("all_cos", "acc_t", "acc_t", "math::cos(in[i])");
    let Some(library) = compiled("f64", &text) else { return };
    let inputs: Vec<f64> = inputs().into_iter().map(f64::from).chain([1e100, 1e150, f64::MAX]).collect();
    for (name, expected) in [("all_sin", math::sin as fn(f64) -> f64), ("all_cos", math::cos)] {
        // SAFETY: defined above, over arrays of double.
        let outputs: Vec<f64> = unsafe { call(&library, name, &inputs) };
        for (&x, actual) in inputs.iter().zip(outputs) {
            let expected = expected(x);
            assert!(same_bits(actual, expected), "{name}: {x:e} gives {actual:e}, on the CPU {expected:e}");
        }
    }
}

/// Loads and stores of a format of 16 bits.
fn storage<E: Element<Real = f32>>(from_bits: fn(u16) -> E) {
    let text = loop_over("all_load", "scalar_t", "acc_t", "load(in[i])")
        + &loop_over("all_store", "acc_t", "scalar_t", "[&] { scalar_t to; store(to, in[i]); return to; }()");
    let Some(library) = compiled(E::NAME, &text) else { return };
    let stored: Vec<E> = (0..=u16::MAX).map(from_bits).collect();
    // SAFETY: defined above; `scalar_t` is the bits of `E`, `acc_t` float.
    let loaded: Vec<f32> = unsafe { call(&library, "all_load", &stored) };
    for (&stored, actual) in stored.iter().zip(loaded) {
        let expected = stored.load();
        assert!(is_same(actual, expected), "{} {stored:?} is {actual:e}, not {expected:e}", E::NAME);
    }
    // Every number of the format, and half-way to the next, where ties are.
    let numbers = stored.iter().map(|stored| stored.load());
    let between = (stored.windows(2)).map(|pair| (pair[0].load() * 0.5) + (pair[1].load() * 0.5));
    let inputs: Vec<f32> = inputs().into_iter().chain(numbers).chain(between).collect();
    // SAFETY: as above.
    let outputs: Vec<E> = unsafe { call(&library, "all_store", &inputs) };
    for (&x, actual) in inputs.iter().zip(outputs) {
        let expected = E::store(x);
        // Loaded: NaN of any kind is as good as another.
        assert!(
            is_same(actual.load(), expected.load()),
            "{x:e} is stored as {} {actual:?}, on the CPU {expected:?}",
            E::NAME
        );
    }
}

#[test]
fn half() {
    storage(f16::from_bits);
}

#[test]
fn bfloat() {
    storage(bf16::from_bits);
}
