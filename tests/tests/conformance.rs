//! The public reference cases: every one passes, or is of a neuron that is not declared; and the runner itself
//! finds what is wrong.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use neurons::Device;
use neurons_tests::conformance::{Tally, Verdict, rows, run};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference").join(name)
}

/// A reference case in memory, to be changed.
struct Changed {
    metadata: HashMap<String, String>,
    tensors: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Changed {
    fn case(name: &str) -> Self {
        Self::read("vectors", name)
    }

    fn dialect(name: &str) -> Self {
        Self::read("dialects", name)
    }

    fn read(kind: &str, name: &str) -> Self {
        let bytes = std::fs::read(folder(kind).join(name).with_extension("safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let numbers = |view: &TensorView<'_>| {
            view.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
        };
        let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter();
        let tensors = tensors.map(|(name, view)| (name, (view.shape().to_vec(), numbers(&view)))).collect();
        Self { metadata: header.metadata().clone().unwrap(), tensors }
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }

    fn without_tensor(mut self, name: &str) -> Self {
        self.tensors.remove(name).unwrap();
        self
    }

    fn set(mut self, name: &str, at: usize, value: f64) -> Self {
        self.tensors.get_mut(name).unwrap().1[at] = value;
        self
    }

    fn insert(mut self, name: &str, data: Vec<f64>) -> Self {
        self.tensors.insert(name.to_owned(), (vec![data.len()], data));
        self
    }

    fn serialize(self) -> Vec<u8> {
        let bytes: HashMap<&String, Vec<u8>> = self
            .tensors
            .iter()
            .map(|(n, (_, data))| (n, data.iter().flat_map(|x| x.to_le_bytes()).collect()))
            .collect();
        let view = |(name, (shape, _)): (&String, &(Vec<usize>, _))| {
            (name.clone(), TensorView::new(Dtype::F64, shape.clone(), &bytes[name]).unwrap())
        };
        serialize(self.tensors.iter().map(view), Some(self.metadata)).unwrap()
    }

    /// What the runner says of it: the verdict of each row.
    fn verdicts(self) -> Vec<Verdict> {
        verdicts(&self.serialize())
    }
}

fn verdicts(bytes: &[u8]) -> Vec<Verdict> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("neurons-{}-{number}.safetensors", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let verdicts = rows(&path, &Device::Cpu).into_iter().map(|row| row.verdict).collect();
    std::fs::remove_file(&path).unwrap();
    verdicts
}

fn fails(case: Changed, reason: &str) {
    for verdict in case.verdicts() {
        assert!(
            matches!(&verdict, Verdict::Fail(why) if why.contains(reason)),
            "{verdict:?}, not {reason:?}"
        );
    }
}

fn is_unsupported(case: Changed, reason: &str) {
    for verdict in case.verdicts() {
        let says_so = matches!(&verdict, Verdict::Unsupported(why) if why.contains(reason));
        assert!(says_so, "{verdict:?}, not {reason:?}");
    }
}

const LIF: &str = "lif_hard_full_decay_atan";

#[test]
fn vectors() {
    let mut out = Vec::new();
    let tally = run(&folder("vectors"), &Device::Cpu, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    println!("{out}");
    assert_eq!(tally, Tally { passed: 100, failed: 0, unsupported: 0 });
    assert!(out.ends_with("100 passed, 0 failed, 0 unsupported\n"));
}

#[test]
fn dialects() {
    let mut report = Vec::new();
    let tally = run(&folder("dialects"), &Device::Cpu, &mut report).unwrap();
    println!("{}", String::from_utf8(report).unwrap());
    assert_eq!(tally, Tally { passed: 134, failed: 0, unsupported: 0 });
}

#[test]
fn a_wrong_number_of_a_dialect_is_found() {
    let case = || Changed::dialect("snntorch_rleaky_subtract");
    for name in ["mem_seq", "spk_next", "grad_x_seq", "grad_mem_init", "grad_V", "grad_threshold"] {
        let ours = name.replace("mem", "v").replace("threshold", "v_threshold");
        fails(case().set(name, 0, 2.5), &format!("`{ours}` [0, 0] by"));
    }
    fails(case().set("spike_seq", 3, 2.0), "`spike_seq` [0, 3]");
    fails(Changed::dialect("spikingjelly_glif").set("grad_conduct_seq", 4, 9.0), "`grad_conduct_seq` [4, 0]");
    fails(Changed::dialect("bindsnet_izhikevich").set("param_c", 2, -40.0), "`");
}

#[test]
fn no_part_of_a_dialect_is_left_out() {
    let case = || Changed::dialect("norse_lif");
    is_unsupported(case().with("neuron", "norse_coba"), "no neuron `norse_coba`");
    is_unsupported(case().with("params", r#"{"tau": 2.0}"#), "no parameter `tau`");
    is_unsupported(case().insert("grad_dt", vec![0.0]), "nothing computes `grad_dt`");
    is_unsupported(case().insert("w_seq", vec![0.0]), "nothing computes `w_seq`");
    fails(case().without_tensor("i_seq"), "`i_seq` is missing");
    fails(case().without_tensor("grad_i_next"), "`grad_i_next` is missing");
    fails(case().with("amplification", "large"), "a number or `discontinuous`");
    fails(case().with("min_distance", "near"), "a number or `none`");
    fails(case().with("params", r#"{"v_leak": null}"#), "`v_leak`");
}

#[test]
fn a_dialect_that_float32_does_not_resolve_is_not_compared_in_it() {
    let verdicts = Changed::dialect("norse_lif").with("amplification", "1e6").verdicts();
    assert!(matches!(verdicts.as_slice(), [Verdict::Pass, Verdict::Unsupported(_)]), "{verdicts:?}");
}

#[test]
fn every_output_and_gradient_is_compared() {
    for row in rows(&folder("vectors").join(LIF).with_extension("safetensors"), &Device::Cpu) {
        let mut names: Vec<&str> = row.quantities.iter().map(|quantity| quantity.name.as_str()).collect();
        names.sort_unstable();
        let all = ["grad_s_to_h", "grad_v_init", "grad_v_to_h", "grad_x_seq", "v_next", "v_seq"];
        assert_eq!(names, all, "{row}");
        // By five forward templates.
        assert_eq!(row.spikes.compared, 5 * 12 * 33, "{row}");
    }
}

#[test]
fn traces() {
    let mut report = Vec::new();
    let tally = run(&folder("nest"), &Device::Cpu, &mut report).unwrap();
    println!("{}", String::from_utf8(report).unwrap());
    assert_eq!(tally, Tally { passed: 3, failed: 0, unsupported: 0 });
}

#[test]
fn a_wrong_number_is_found_at_its_place() {
    for name in ["spike_seq", "v_next", "v_seq", "grad_x_seq", "grad_v_init", "grad_s_to_h", "grad_v_to_h"] {
        for value in [2.5, f64::NAN] {
            let place = if name.ends_with("seq") || name.contains("_to_") { "[1, 2]" } else { "[0, 2]" };
            let at = if place == "[1, 2]" { 33 + 2 } else { 2 };
            fails(Changed::case(LIF).set(name, at, value), &format!("`{name}` {place} by"));
        }
    }
}

#[test]
fn small_differences_are_found() {
    let case = Changed::case(LIF);
    let near = case.tensors["grad_v_init"].1[7] + 2e-10;
    let verdicts = case.set("grad_v_init", 7, near).verdicts();
    assert!(matches!(verdicts.as_slice(), [Verdict::Fail(_), Verdict::Pass]), "{verdicts:?}");
}

#[test]
fn what_is_not_there_is_unsupported() {
    is_unsupported(Changed::case(LIF).with("neuron", "clif"), "no neuron `clif`");
    is_unsupported(Changed::case(LIF).with("surrogate", "step"), "unknown surrogate `step`");
    is_unsupported(Changed::case(LIF).with("params", r#"{"tau": 2.0, "beta": 1}"#), "no parameter `beta`");
    is_unsupported(Changed::case(LIF).insert("grad_tau", vec![0.0]), "`grad_tau`");
}

#[test]
fn malformed_files_fail_with_the_reason() {
    fails(Changed::case(LIF).without_tensor("grad_x_seq"), "`grad_x_seq` is missing");
    fails(Changed::case("plif_hard_det_decay_atan").without_tensor("v_init"), "`v_init` is missing");
    fails(Changed::case(LIF).insert("v_next", vec![0.0; 5]), "`v_next` has shape [5], [33] expected");
    fails(Changed::case(LIF).with("T", "0"), "a positive integer");
    fails(Changed::case(LIF).with("N", &u64::MAX.to_string()), "18446744073709551615] expected");
    fails(Changed::case(LIF).with("reset", "mild"), "`hard` or `soft`");
    fails(Changed::case(LIF).with("v_reset", ""), "`v_reset` is \"\"");
    fails(Changed::case(LIF).with("detach_reset", "maybe"), "`detach_reset` is \"maybe\"");
    fails(Changed::case(LIF).with("params", r#"{"tau": "2"}"#), "numbers and booleans");
    fails(Changed::case(LIF).with("params", r#"{"tau": 0.5}"#), "`tau > 1.0`");
    fails(Changed::case(LIF).with("params", r#"{"decay_input": 1.0}"#), "expected a flag for `decay_input`");
    fails(Changed::case(LIF).with("alpha", "-1"), "`alpha` is -1");
    let mut case = Changed::case(LIF);
    case.metadata.remove("surrogate");
    fails(case, "metadata `surrogate` is missing");
}

#[test]
fn damaged_files_fail_without_a_panic() {
    let whole = Changed::case(LIF).serialize();
    for bytes in [&b"not a case"[..], &[], &whole[..whole.len() - 1], &whole[8..]] {
        assert!(matches!(verdicts(bytes).as_slice(), [Verdict::Fail(_)]));
    }
}
