//! What the neurons' CUDA kernels take of a GPU. A kernel whose values do not fit into registers keeps them in
//! local memory, which costs more than everything else it does; so none may.
//!
//! `sin` and `cos` of double are the exception: CUDA's own have 40 bytes for the reduction of large arguments, which
//! are touched for these alone.
//!
//! Needs NVRTC or nvcc, and is passed over where there is neither, unless `NEURON_CUDA=require` is set. With
//! `--nocapture` it prints the registers of every kernel.

use std::path::Path;

use neuron_codegen::build::settings::{Format, Mode, Settings, Target};
use neuron_codegen::build::{sources, usage::Usage};
use neurons::Neuron as _;
use neurons::cuda::source_with;

neurons::surrogate! { surrogate Own { primitive = sigmoid(3.0 * u) + 0.5 * tanh(sin(u)); } }

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
    let text =
        source_with(&neurons::Cuda { source: neurons::Lif::SPEC.cuda.source, images: &[] }, Own.into());
    neurons.push(sources::Source { name: "Lif with a surrogate of its own".into(), text });

    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    let usage = |format: Format| -> Vec<(Target, Usage, u32)> {
        let mut found = Vec::new();
        for neuron in &neurons {
            for target in ["sm_80", "sm_90"].map(|name| Target::parse(name).expect("a target")) {
                let file = scratch.path().join(format.name());
                let kernels = compiler.usage(&neuron.text, format, target, &file);
                let kernels = kernels.unwrap_or_else(|log| panic!("{}, {target}: {log}", neuron.name));
                assert!(!kernels.is_empty(), "the compiler reports what kernels take");
                let reduces = format.name() == "f64"
                    && ["sin", "cos"].iter().any(|name| neuron.text.contains(&format!("= math::{name}(")));
                found.extend(kernels.into_iter().map(|usage| (target, usage, if reduces { 40 } else { 0 })));
            }
        }
        found
    };
    let kernels: Vec<(Target, Usage, u32)> = std::thread::scope(|scope| {
        let usage = &usage;
        let running = Format::ALL.map(|format| scope.spawn(move || usage(format)));
        running.into_iter().flat_map(|thread| thread.join().expect("it compiles")).collect()
    });

    println!("{:40} target  registers  local  stores  loads", "kernel");
    for (target, Usage { kernel, registers, stack, spill_stores, spill_loads }, _) in &kernels {
        println!("{kernel:40} {target:6} {registers:10} {stack:6} {spill_stores:7} {spill_loads:6}");
    }
    let spilled: Vec<_> = kernels
        .iter()
        .filter(|(_, usage, stack)| usage.stack > *stack || usage.spill_stores + usage.spill_loads > 0)
        .map(|(target, usage, _)| format!("{target}: {usage:?}"))
        .collect();
    assert!(spilled.is_empty(), "kernels with local memory:\n{}", spilled.join("\n"));
}
