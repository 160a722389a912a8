//! `list` and `show`.

use neuron_runtime::DeclaredNeuron as _;
use neurons_inspect::Neurons;
use serde_json::Value;

use crate::{bad, command, finish, good};

#[test]
fn list_has_everything() {
    let (text, json) = (good(&["list"]), good(&["list", "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    let entries = json.as_array().unwrap();
    let neurons = Neurons::default().zoo();
    assert_eq!(entries.len(), neurons.iter().count());
    for (neuron, entry) in neurons.iter().zip(entries) {
        let spec = neuron.spec();
        assert_eq!(entry["name"], spec.name);
        assert_eq!(entry["templates"].as_array().unwrap().len(), spec.templates().count());
        assert_eq!(entry["kept"].as_array().unwrap().len(), spec.factors.len());
        for param in spec.params {
            assert!(text.contains(&format!("{} = {}", param.name, param.default)), "{}", param.name);
            let found =
                entry["parameters"].as_array().unwrap().iter().find(|found| found["name"] == param.name);
            assert_eq!(found.unwrap()["default"], param.default);
        }
        for state in spec.states {
            assert!(entry["states"].as_array().unwrap().contains(&state.name.into()));
        }
    }
}

#[test]
fn show_says_what_was_generated() {
    for neuron in Neurons::default().zoo().iter() {
        let spec = neuron.spec();
        let text = good(&["show", spec.name]);
        for line in spec.declaration.lines() {
            assert!(text.contains(line), "{}: {line}", spec.name);
        }
        for equation in spec.equations.iter().chain(spec.derivatives) {
            assert!(text.contains(&format!("= {}\n", equation.expr)), "{}: {equation}", spec.name);
        }
        for factor in spec.factors {
            assert!(text.contains(&format!("\n  {factor}\n")), "{}: {factor}", spec.name);
        }
    }
}

/// The kernels that are shown are those that were compiled into this binary.
#[test]
fn kernels_are_the_compiled_ones() {
    for neuron in Neurons::default().zoo().iter() {
        let spec = neuron.spec();
        assert_eq!(good(&["show", spec.name, "--cuda", "--complete"]), spec.cuda.source());
        let kernels = good(&["show", spec.name, "--cuda"]);
        let count = kernels.matches("extern \"C\" __global__ void ").count();
        assert!(count >= spec.templates().count(), "{}", spec.name);
        for kernel in kernels.split("extern \"C\"").skip(1) {
            // Up to the comment of the next one.
            let kernel = kernel.split("\n}\n").next().unwrap();
            assert!(spec.cuda.source().contains(kernel), "{}: {kernel}", spec.name);
        }
        let rust = good(&["show", spec.name, "--rust"]);
        // A GPU has some of them for few neurons, too, and some as scans.
        let further: usize = ["_few)(", "_scan)("].map(|end| kernels.matches(end).count()).iter().sum();
        assert_eq!(rust.matches("\npub fn ").count(), count - further, "{}", spec.name);
    }
}

#[test]
fn kernels_are_chosen() {
    let rust = |arguments: &[&str]| {
        let text = good(&[&["show", "lif", "--rust"], arguments].concat());
        text.lines()
            .filter_map(|line| Some(line.strip_prefix("pub fn ")?.split('<').next()?.to_owned()))
            .collect()
    };
    let kernels: Vec<String> = rust(&["--template", "fptt"]);
    assert_eq!(kernels, ["hard_reset_fptt", "soft_reset_fptt"]);
    let kernels: Vec<String> = rust(&["--template", "soft_reset_forward"]);
    assert_eq!(kernels, ["soft_reset_forward"]);
    let kernels: Vec<String> = rust(&["--template", "bptt", "--reset", "soft"]);
    assert_eq!(kernels, ["bptt"]);
    assert!(
        bad(&["show", "lif", "--rust", "--reset", "none"]).contains("Lif has no kernel for reset `none`")
    );
    let error = bad(&["show", "lif", "--rust", "--template", "backwards"]);
    assert!(error.contains("no kernel for template `backwards`, did you mean `backward`?"), "{error}");
}

#[test]
fn latex_and_json_of_every_neuron() {
    for neuron in Neurons::default().zoo().iter() {
        let spec = neuron.spec();
        let latex = good(&["show", spec.name, "--latex"]);
        assert_eq!(latex.matches(r"\begin{align*}").count(), 2);
        for (open, close) in [("{", "}"), (r"\left", r"\right"), (r"\begin", r"\end")] {
            assert_eq!(latex.matches(open).count(), latex.matches(close).count(), "{}: {open}", spec.name);
        }
        let json: Value = serde_json::from_str(&good(&["show", spec.name, "--json"])).unwrap();
        assert_eq!(json["declaration"], spec.declaration);
        assert_eq!(json["derivatives"].as_array().unwrap().len(), spec.derivatives.len());
        let signatures = json["signatures"].as_array().unwrap();
        assert_eq!(signatures.len(), spec.templates().count());
        assert!(
            signatures.iter().all(|signature| signature["bytes"]["f32"]["per_step"].as_f64() > Some(0.0))
        );
    }
}

#[test]
fn names_are_found_and_suggested() {
    for name in ["lif", "Lif", "LIF"] {
        assert!(good(&["show", name]).starts_with("Lif"));
    }
    for name in ["ad_ex", "adex", "AdEx"] {
        assert!(good(&["show", name]).starts_with("AdEx"));
    }
    let error = bad(&["show", "izikevich"]);
    assert!(error.contains("unknown neuron `izikevich`, did you mean `Izhikevich`?"), "{error}");
    assert!(bad(&["show", "nothing"]).contains("expected one of If, Lif"));
}

/// Where neither a compiler nor embedded PTX is, the error says what to do.
#[test]
fn ptx_or_how_to_get_it() {
    let mut without = command(&["show", "lif", "--ptx"]);
    for name in ["PATH", "HOME", "CUDA_PATH", "CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        without.env_remove(name);
    }
    without.env("NEURON_NVRTC", "/nowhere");
    let ran = finish(without);
    let is_embedded =
        |image: &neuron_runtime::Image| image.target.is_ptx() && image.format == neuron_runtime::Format::F32;
    if neurons::Lif::SPEC.cuda.images().iter().any(is_embedded) {
        assert!(ran.out.contains(".visible .entry lif_bptt_f32"), "{}", ran.err);
    } else {
        assert!(ran.err.contains("compiling it failed") && ran.err.contains("NEURON_NVRTC"), "{}", ran.err);
    }
}

#[test]
fn surrogates_are_shown() {
    for surrogate in neuron_runtime::Surrogate::all() {
        let text = good(&["show", surrogate.name()]);
        assert!(text.contains(&format!("= {}\n", surrogate.gradient_equation())), "{text}");
        assert!(surrogate.parameter_defs().iter().all(|parameter| text.contains(parameter.name)), "{text}");
    }
    assert!(bad(&["show", "atan", "--rust"]).contains("unknown neuron `atan`"));
}
