//! What the neurons' CUDA kernels take of a GPU. A kernel whose values do not fit into registers keeps them in
//! local memory, which costs more than everything else it does.
//!
//! A few values there are worth it where they make room for one more block of threads: `Eif`'s `lean_bptt`, when a
//! thread computed two neurons, took 1.9 ms with two blocks and 8 bytes of local memory, 3.1 ms with one block and none
//! (`docs/benchmarks.md`). In float64 the largest kernel of `Glif` has more than fits in any case.
//!
//! Needs NVRTC or nvcc, and is passed over where there is neither, unless `NEURON_CUDA=require` is set. With
//! `--nocapture` it prints the registers of every kernel.

use std::path::Path;

use neuron_codegen::build::settings::{Format, Mode, Settings, Target};
use neuron_codegen::build::{sources, usage::Usage};
use neurons::DeclaredNeuron as _;
use neurons::cuda::source_with;

neurons::surrogate! { surrogate Own { primitive = sigmoid(3.0 * u) + 0.5 * tanh(sin(u)); } }

/// Bytes of local memory that a kernel may have.
fn allowed(kernel: &str) -> u32 {
    match kernel {
        kernel if kernel.ends_with("_f64") => 160,
        kernel if kernel.contains("fptt_with_grad") || kernel.contains("bptt") => 96,
        _ => 0,
    }
}

#[test]
fn kernels_stay_in_registers() {
    let settings = Settings::new(&|name| std::env::var_os(name)).expect("the settings are valid");
    let compiler = match settings.search.find() {
        Ok(compiler) => compiler,
        Err(error) if settings.mode == Mode::Require => panic!("{error}"),
        Err(error) => return eprintln!("passed over: {error}"),
    };
    let mut neurons = sources::sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons"));
    assert!(!neurons.is_empty(), "the neurons are there");
    // One of them with a surrogate of its own as well.
    let text = source_with(neurons::Lif::SPEC.cuda.source(), Own.into());
    neurons.push(sources::Source { name: "Lif with a surrogate of its own".into(), text });

    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    let usage = |format: Format| -> Vec<(Target, Usage)> {
        let mut found = Vec::new();
        for neuron in &neurons {
            // Of two architectures float32 shows the difference.
            let targets = if format == Format::F32 { &["sm_80", "sm_90"][..] } else { &["sm_90"] };
            for target in targets.iter().map(|name| Target::parse(name).expect("a target")) {
                let file = scratch.path().join(format.name());
                let kernels = compiler.usage(&neuron.text, format, target, &file);
                let kernels = kernels.unwrap_or_else(|log| panic!("{}, {target}: {log}", neuron.name));
                assert!(!kernels.is_empty(), "the compiler reports what kernels take");
                found.extend(kernels.into_iter().map(|usage| (target, usage)));
            }
        }
        found
    };
    let kernels: Vec<(Target, Usage)> = std::thread::scope(|scope| {
        let usage = &usage;
        // Kernels for bfloat16 are those for float16 but for the conversions.
        let running =
            [Format::F32, Format::F64, Format::F16].map(|format| scope.spawn(move || usage(format)));
        running.into_iter().flat_map(|thread| thread.join().expect("it compiles")).collect()
    });

    println!("{:40} target  registers  local  stores  loads", "kernel");
    for (target, Usage { kernel, registers, stack, spill_stores, spill_loads }) in &kernels {
        println!("{kernel:40} {target:6} {registers:10} {stack:6} {spill_stores:7} {spill_loads:6}");
    }
    let spilled: Vec<_> = kernels
        .iter()
        .filter(|(_, usage)| usage.stack > allowed(&usage.kernel))
        .map(|(target, usage)| format!("{target}: {usage:?}"))
        .collect();
    assert!(spilled.is_empty(), "kernels with local memory:\n{}", spilled.join("\n"));
}
