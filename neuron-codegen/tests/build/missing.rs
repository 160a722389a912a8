//! What happens where there is nothing to compile with or nothing to compile.

use super::*;

fn one() -> Package {
    Package::new(&[("src/lib.rs", declaration("One", "v + x"))])
}

fn named(path: &Path) -> Search {
    Search { nvrtc: Some(path.to_owned()), ..Search::default() }
}

#[test]
fn auto_warns_once() {
    let two = [("src/a.rs", declaration("One", "v + x")), ("src/b.rs", declaration("Two", "v + x + 1.0"))];
    let package = Package::new(&two).with(Mode::Auto, Search::default());
    let outcome = package.compile().unwrap();
    let [warning] = outcome.warnings.as_slice() else { panic!("{outcome:?}") };
    for part in ["`One`, `Two`", "CPU", "nvidia-cuda-nvrtc", "NEURON_NVRTC", "NEURON_CUDA=off"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert_eq!(warning.lines().count(), 1);
    assert_eq!((outcome.compiled, outcome.kept), (0, 0));
}

#[test]
fn require_fails() {
    let error = one().with(Mode::Require, Search::default()).compile().unwrap_err();
    assert!(matches!(error, Error::NoCompiler), "{error:?}");
}

#[test]
fn off_does_nothing_and_leaves_nothing() {
    let package = one().with(Mode::Off, Search::default());
    package.write("out/neurons-cuda/One-0/f32.sm_80.cubin", "from before");
    assert_eq!(package.compile().unwrap(), Outcome::default());
    assert_eq!(package.images(), [""; 0]);
}

#[test]
fn a_crate_without_declarations_needs_no_compiler() {
    let package = Package::new(&[
        ("src/lib.rs", "fn main() {}".into()),
        ("src/mistake.rs", declaration("Mistake", "v + y")),
        ("tests/ui/not_rust.rs", "neuron! { pub struct Open {".into()),
    ]);
    let outcome = package.with(Mode::Require, Search::default()).compile();
    assert_eq!(outcome.unwrap(), Outcome::default());
}

/// What the user named is not passed over, even under `auto`.
#[test]
fn a_library_that_was_named_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("libnvrtc.so.13")] {
        let error = one().with(Mode::Auto, named(&path)).compile().unwrap_err();
        assert!(matches!(&error, Error::NvrtcNotThere { path: said } if *said == path), "{error:?}");
    }
    let library = folder.path().join("libnvrtc.so.13");
    std::fs::write(&library, "not a library").unwrap();
    for path in [folder.path(), &library] {
        let error = one().with(Mode::Auto, named(path)).compile().unwrap_err();
        assert!(matches!(&error, Error::NvrtcUnusable { path: said, .. } if *said == library), "{error:?}");
    }
}

/// Some other library: the first function that it lacks is named.
#[cfg(target_os = "linux")]
#[test]
fn another_library_is_not_nvrtc() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc =
        maps.lines().find_map(|line| Some(&line[line.find('/')?..]).filter(|path| path.contains("/libc")));
    let Some(libc) = libc else { return eprintln!("passed over: the C library is linked in") };
    let error = one().with(Mode::Require, named(libc.as_ref())).compile().unwrap_err();
    assert!(matches!(error, Error::NvrtcUnusable { .. }), "{error:?}");
    assert!(error.to_string().contains("nvrtcCreateProgram"), "{error}");
}
