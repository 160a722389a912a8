//! nvcc, which a script stands for: what it is given, and what becomes of what it says.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A package that is compiled by a shell script.
fn with_nvcc(script: &str) -> Package {
    let package = Package::new(&[("src/lib.rs", declaration("One", "v + x"))]);
    package.write(
        "bin/nvcc",
        &format!("#!/bin/sh\nif [ \"$1\" = --version ]; then echo Build 1; exit; fi\n{script}"),
    );
    let bin = package.folder.path().join("bin");
    std::fs::set_permissions(bin.join("nvcc"), PermissionsExt::from_mode(0o755)).unwrap();
    package.with(Mode::Require, Search { programs: vec!["/nowhere".into(), bin], ..Search::default() })
}

#[test]
fn gets_the_source_and_the_options() {
    let package = with_nvcc(
        "all=\"$*\"\nwhile [ $# -gt 1 ]; do [ \"$1\" = --output-file ] && out=\"$2\"; shift; done\n\
         { echo \"$all\"; cat \"$1\"; } > \"$out\"",
    );
    let outcome = package.compile().unwrap();
    assert_eq!(outcome.compiler, Some(package.folder.path().join("bin/nvcc")));
    assert_eq!(package.images(), ["One/f32.compute_80.ptx.lz4", "One/f32.sm_80.cubin.lz4"]);
    let [folder] = entries(&images::root(&package.out_dir())).try_into().unwrap();
    for (file, begin) in [
        ("f32.sm_80.cubin.lz4", "--cubin --gpu-architecture=sm_80 -DF32 --fmad=false --std=c++17 "),
        ("f32.compute_80.ptx.lz4", "--ptx --gpu-architecture=compute_80 -DF32 --fmad=false --std=c++17 "),
    ] {
        let text = String::from_utf8(read(&folder.join(file))).unwrap();
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("KERNEL(bptt)("), "{text}");
        assert_eq!(text.ends_with('\0'), file.ends_with("ptx.lz4"));
    }
}

#[test]
fn its_complaints_are_passed_on() {
    let error = with_nvcc("echo 'neuron.cu(7): error: no' >&2; exit 3").compile().unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Compile { .. }), "{error:?}");
    assert!(text.contains("neuron.cu(7): error: no") && text.contains("nvcc, Build 1"), "{text}");
}

#[test]
fn one_that_does_not_run_is_not_there() {
    let package = with_nvcc("");
    package.write("bin/nvcc", "#!/nowhere");
    assert!(matches!(package.compile(), Err(Error::NoCompiler)));
}
