//! The public reference cases: every one passes, or is of a neuron that is not declared.

use std::path::Path;

use neurons_tests::conformance::{Tally, rows, run};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference").join(name)
}

#[test]
fn vectors() {
    let mut out = Vec::new();
    let tally = run(&folder("vectors"), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    println!("{out}");
    assert_eq!(tally, Tally { passed: 76, failed: 0, unsupported: 24 });
    assert!(out.ends_with("76 passed, 0 failed, 24 unsupported\n"));
}

#[test]
fn a_wrong_number_is_found() {
    // The runner itself: a case with one number changed fails, and says where.
    let bytes = std::fs::read(folder("vectors").join("lif_hard_full_decay_atan.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let start = bytes.len() - file.tensors().iter().map(|(_, view)| view.data().len()).sum::<usize>();
    let begin = |name: &str| file.tensor(name).unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize;
    for name in ["spike_seq", "v_next", "grad_x_seq", "grad_v_init", "grad_s_to_h"] {
        let mut changed = bytes.clone();
        let at = begin(name);
        assert!(at >= start);
        changed[at..at + 8].copy_from_slice(&2.5f64.to_le_bytes());
        let path = std::env::temp_dir().join(format!("neurons_{}_{name}.safetensors", std::process::id()));
        std::fs::write(&path, changed).unwrap();
        let text: Vec<String> = rows(&path).iter().map(ToString::to_string).collect();
        std::fs::remove_file(&path).unwrap();
        assert!(text.iter().all(|row| row.contains(&format!("FAIL: `{name}` is off by"))), "{text:?}");
    }
}

#[test]
fn what_is_not_a_case_fails_without_a_panic() {
    let path = std::env::temp_dir().join(format!("neurons_{}_text.safetensors", std::process::id()));
    std::fs::write(&path, b"not a case").unwrap();
    let text = rows(&path)[0].to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(text.contains("FAIL"), "{text}");
}
