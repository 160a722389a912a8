//! The emitted CUDA source without a GPU: compiled as C++, a launch being a loop over threads, every kernel
//! gives the same bits as the generated Rust. Arguments are packed as for a GPU.
//!
//! Without a C++ compiler (`$CXX`, `c++`), this says so and passes; `NEURON_TEST_CXX=require` makes that a
//! failure.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use neuron_abi::kernel;
use neuron_codegen::emit::cuda;
use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::programs;
use neurons::{Array, DeclaredNeuron, Element, Extent, Gradient, Lif, PackedSpikes, Plif, Real, Template};
use neurons_tests::cases::{Case, Host, Inputs, SIZES, every_case, left_out_cases};
use neurons_tests::compare::{Executor, compare, compare_without, on_cpu};
use neurons_tests::declared::{Visit, every_neuron_and_mixture, models_and_mixture};
use neurons_tests::host_cuda::{BIT_LAUNCHES, Compiler, Launch, is_transcendental, launch_name, launches};
use neurons_tests::host_kernels::{Kernels, Which};
use rayon::prelude::*;

/// Sizes `[T, N]` for kernels for few neurons: a part of a group of chunks, a whole group, several; blocks and parts of them.
const FEW: [[usize; 2]; 3] = [[11, 3], [64, 32], [150, 40]];

/// Checks a neuron in one format, and returns how many calls that were.
type Job<'a> = Box<dyn Fn() -> (&'static str, usize) + Send + Sync + 'a>;

/// A job for every neuron and format.
struct Jobs<'a> {
    compiler: &'a Compiler,
    directory: &'a Path,
    models: HashMap<String, Derived>,
    jobs: Vec<Job<'a>>,
}

impl<'a> Jobs<'a> {
    fn add<N: DeclaredNeuron, E: Element>(&mut self, source: &Arc<str>, is_transcendental: bool) {
        let Self { compiler, directory, .. } = *self;
        let source = source.clone();
        self.jobs.push(Box::new(move || {
            let library = compiler.load(directory, N::SPEC.module, E::NAME, &source);
            let mut kernels = Kernels { library, is_transcendental, which: Which::Ordinary };
            let cases = every_case::<N>(&SIZES);
            for case in &cases {
                compare::<N, E, _>(&kernels, case);
            }
            for (case, left_out) in left_out_cases::<N>() {
                compare_without::<N, E, _>(&kernels, &case, left_out);
            }
            kernels.which = Which::Few;
            let few = every_case::<N>(&FEW).into_iter().filter(|case| kernels.launch::<N, E>(case).is_some());
            let few: Vec<_> = few.inspect(|case| compare::<N, E, _>(&kernels, case)).collect();
            assert!(!few.is_empty(), "sequences have kernels for few neurons");
            (N::SPEC.name, cases.len() + few.len())
        }));
    }
}

impl Visit for Jobs<'_> {
    fn visit<N: DeclaredNeuron>(&mut self) {
        let mut derived = self.models.remove(N::SPEC.name).expect("it is declared");
        let programs = programs(&mut derived);
        assert_eq!(N::SPEC.cuda.source(), cuda::source(&derived, &programs), "the source that was embedded");
        let kernels = cuda::kernels(&derived, &programs);
        let is_transcendental = is_transcendental(&kernels);
        let source = format!("{}\n{}", N::SPEC.cuda.source(), launches(&derived, &programs)).into();
        self.add::<N, f32>(&source, is_transcendental);
        self.add::<N, f64>(&source, is_transcendental);
        self.add::<N, half::f16>(&source, is_transcendental);
        self.add::<N, half::bf16>(&source, is_transcendental);
    }
}

#[test]
fn same_bits() {
    let Some(compiler) = Compiler::find() else { return };
    let directory = tempfile::tempdir().unwrap();
    let models =
        models_and_mixture().into_iter().map(|derived| (derived.model.name.to_string(), derived)).collect();
    let mut jobs = Jobs { compiler: &compiler, directory: directory.path(), models, jobs: Vec::new() };
    every_neuron_and_mixture(&mut jobs);
    let done: Vec<_> = jobs.jobs.par_iter().map(|job| job()).collect();
    for (name, calls) in done.iter().step_by(4) {
        println!("{name}: {calls} calls in four formats give the same bits");
    }
}

/// Of many neurons, each thread computes several, and adds up the gradients of their parameters in float64.
#[test]
fn threads_add_up_gradients() {
    fn check<E: Element>(kernels: &Kernels, template: Template, neurons: usize, [count, inner]: [usize; 2]) {
        let neuron = Plif::default();
        let steps = if template.is_multi_step() { 2 } else { 1 };
        let (gradient, inputs) = (Gradient::default(), Inputs::Common);
        let case = Case { neuron, template, gradient, steps, neurons, inputs };
        let mut inputs = case.input_arrays::<E>();
        for input in &mut inputs {
            if let Host::Parameter(values, _) = input {
                let values = (0..count).map(|i| values[0] * E::Real::from_f64(1.0 + i as f64 / count as f64));
                *input = Host::Parameter(values.collect(), inner);
            }
        }
        let mut outputs = case.poisoned::<E>(&inputs);
        let buffers = Plif::SPEC.signature(template).outputs;
        for (output, _) in outputs.iter_mut().zip(buffers).filter(|(_, b)| b.extent == Extent::Parameter) {
            // Room for a double for each neuron, which is no number as long as nothing is written.
            let room = neurons * size_of::<f64>() / size_of::<E::Real>();
            *output = Host::State(vec![E::Real::from_f64(f64::from_bits(u64::MAX)); room]);
        }
        kernels.run(&case, &inputs, &mut outputs);
        let each: Vec<_> = inputs.iter().map(|input| input.per_neuron(neurons)).collect();
        let what = format!("{template:?} of {neurons} neurons, {count} x {inner}, {}", E::NAME);
        for ((buffer, expected), actual) in on_cpu(&case, &each).iter().zip(&outputs) {
            let (mut expected, mut numbers) = (expected.numbers(), actual.numbers());
            if let (Extent::Parameter, Host::State(array)) = (buffer.extent, actual) {
                let sum = |i: usize| {
                    // SAFETY: there is room for so many.
                    unsafe { array.as_ptr().cast::<f64>().add(i).read_unaligned() }
                };
                numbers = (0..neurons).map(sum).take_while(|sum| !sum.is_nan()).collect();
                let columns = numbers.len();
                assert!(
                    columns < neurons && columns.is_multiple_of(count * inner),
                    "{columns} columns: {what}"
                );
                let mut sums = vec![-0.0; columns];
                for (i, value) in expected.iter().enumerate() {
                    sums[i % columns] += value;
                }
                expected = sums;
            }
            assert_eq!(numbers.len(), expected.len(), "{}: {what}", buffer.name);
            let is_same =
                |(actual, expected): (&f64, &f64)| neurons_tests::compare::same_bits(*actual, *expected);
            let different = numbers.iter().zip(&expected).position(|pair| !is_same(pair));
            assert_eq!(different, None, "the first that differs of {}: {what}", buffer.name);
        }
    }
    let Some(compiler) = Compiler::find() else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut derived = models_and_mixture().into_iter().find(|derived| derived.model.name == "Plif").unwrap();
    let programs = programs(&mut derived);
    let source = format!("{}\n{}", Plif::SPEC.cuda.source(), launches(&derived, &programs));
    let kernels = |format| {
        let library = compiler.load(directory.path(), "sums", format, &source);
        Kernels { library, is_transcendental: true, which: Which::Ordinary }
    };
    let (single, half) = (kernels("f32"), kernels("bf16"));
    // Rows of an odd number of neurons, of which the last one is a part; whole rows.
    for (neurons, layout) in [(1_000_001, [1, 1]), (1_000_005, [3, 1]), (6 * 49 * 4096, [6, 49])] {
        for template in [Template::Backward, Template::Bptt, Template::LeanBptt] {
            check::<f32>(&single, template, neurons, layout);
            check::<half::bf16>(&half, template, neurons, layout);
        }
    }
}

/// The kernels that pack spikes and unpack them, of one neuron since they are the same for all.
#[test]
fn spikes_are_packed_and_unpacked() {
    fn check<E: Element>(compiler: &Compiler, directory: &Path, source: &str) {
        let library = compiler.load(directory, "bits", E::NAME, source);
        let launch = |kernel: &str, args: [u64; 4], threads: u64| {
            let name = launch_name(&kernel::symbol("lif", kernel, E::FORMAT));
            // SAFETY: the library defines it with this type.
            let launch = unsafe { library.get::<Launch>(name.as_bytes()) }.unwrap();
            let pointers = args.each_ref().map(|arg| std::ptr::from_ref(arg).cast_mut().cast());
            // SAFETY: the kernel takes these four; arrays are as long as it reads and writes.
            unsafe { launch(pointers.as_ptr(), threads) };
        };
        for [steps, neurons] in [[1, 1], [3, 31], [2, 32], [5, 33], [4, 100], [1, 1000]] {
            let spike = |i: usize| E::store(E::Real::from_f64(f64::from(u8::from(i * i % 7 == 2))));
            let spikes: Vec<E> = (0..steps * neurons).map(spike).collect();
            let array = Array::from_vec([steps, neurons], spikes.clone()).unwrap();
            let expected = PackedSpikes::pack::<E>(Lif::SPEC, &array).unwrap().to_words().unwrap();
            let mut words = vec![u32::MAX; expected.len()];
            let sizes = [steps as u64, neurons as u64];
            let args = [sizes[0], sizes[1], spikes.as_ptr() as u64, words.as_mut_ptr() as u64];
            launch("pack_spikes", args, 4 * words.len() as u64);
            assert_eq!(words, expected, "{} {steps} {neurons}", E::NAME);
            let mut unpacked = vec![E::store(E::Real::from_f64(7.0)); spikes.len()];
            let args = [sizes[0], sizes[1], words.as_ptr() as u64, unpacked.as_mut_ptr() as u64];
            launch("unpack_spikes", args, 4 * words.len() as u64);
            assert_eq!(unpacked, spikes, "{} {steps} {neurons}", E::NAME);
        }
    }
    let Some(compiler) = Compiler::find() else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut derived = models_and_mixture().into_iter().find(|derived| derived.model.name == "Lif").unwrap();
    let programs = programs(&mut derived);
    let source = format!("{}\n{}{BIT_LAUNCHES}", Lif::SPEC.cuda.source(), launches(&derived, &programs));
    check::<f32>(&compiler, directory.path(), &source);
    check::<f64>(&compiler, directory.path(), &source);
    check::<half::f16>(&compiler, directory.path(), &source);
    check::<half::bf16>(&compiler, directory.path(), &source);
}
