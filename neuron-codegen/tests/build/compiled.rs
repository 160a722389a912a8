//! Images: which ones, when, and whether the macro finds them.

use neuron_codegen::build::settings::{Format, Target};
use neuron_codegen::declarations::declarations;
use neuron_codegen::expand::expand;

use super::*;

#[test]
fn only_what_changed_is_compiled() {
    if !has_compiler() {
        return;
    }
    let mut package = Package::new(&[
        ("src/one.rs", declaration("One", "v + x")),
        ("src/inner/two.rs", declaration("Two", "v + 2.0 * x")),
        ("examples/copy.rs", declaration("Two", "v + 2.0 * x")),
    ]);
    let done = |package: &Package| package.compile().map(|outcome| (outcome.compiled, outcome.kept)).unwrap();
    let one = ["One/f32.compute_80.ptx.lz4", "One/f32.sm_80.cubin.lz4"];
    let all = [one[0], one[1], "Two/f32.compute_80.ptx.lz4", "Two/f32.sm_80.cubin.lz4"];

    assert_eq!(done(&package), (4, 0));
    assert_eq!(package.images(), all);
    assert_eq!(done(&package), (0, 4));

    // A change of the source, and nothing of the old one is left.
    package.write("src/one.rs", &declaration("One", "v + 3.0 * x"));
    assert_eq!(done(&package), (2, 2));
    assert_eq!(package.images(), all);

    // One image is missing, as when a build was interrupted.
    let [folder] = folders(&package, "One-").try_into().unwrap();
    std::fs::remove_file(folder.join("f32.sm_80.cubin.lz4")).unwrap();
    std::fs::write(folder.join("f32.sm_80.new"), "half of it").unwrap();
    assert_eq!(done(&package), (1, 3));
    assert_eq!(package.images(), all);

    // Another compiler.
    std::fs::write(folder.join("stamp"), "NVRTC 1.0").unwrap();
    assert_eq!(done(&package), (2, 2));

    // One target and one neuron fewer.
    package.settings.targets.retain(|target| target.is_ptx());
    std::fs::remove_dir_all(package.folder.path().join("src/inner")).unwrap();
    std::fs::remove_file(package.folder.path().join("examples/copy.rs")).unwrap();
    assert_eq!(done(&package), (0, 1));
    assert_eq!(package.images(), one[..1]);
}

fn folders(package: &Package, prefix: &str) -> Vec<PathBuf> {
    let mut found = entries(&images::root(&package.out_dir()));
    found.retain(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with(prefix));
    found
}

#[test]
fn the_macro_embeds_the_images_of_its_source() {
    if !has_compiler() {
        return;
    }
    let text = declaration("One", "v + x");
    let package = Package::new(&[("src/lib.rs", text.clone())]);
    package.compile().unwrap();
    let expansion = |text: &str, out_dir: Option<&Path>| {
        let [tokens] = declarations(text).unwrap().try_into().unwrap();
        expand(tokens, out_dir).to_string()
    };
    let images = |text: &str, out_dir: Option<&Path>| -> Vec<PathBuf> {
        let expansion = expansion(text, out_dir);
        let paths = expansion.split("include_bytes ! (\"").skip(1);
        paths.map(|rest| PathBuf::from(rest.split('"').next().unwrap())).collect()
    };
    let out_dir = package.out_dir();
    let [cubin, ptx] = images(&text, Some(&out_dir)).try_into().unwrap();
    assert!(read(&cubin).starts_with(b"\x7fELF"));
    let ptx = read(&ptx);
    assert_eq!(ptx.iter().position(|byte| *byte == 0), Some(ptx.len() - 1), "one zero, at the end");
    let ptx = String::from_utf8(ptx).unwrap();
    assert!(ptx.contains(".target sm_80") && ptx.contains(".entry one_bptt_f32"), "{ptx}");

    assert_eq!(images(&text, None), [""; 0].map(PathBuf::from));
    assert_eq!(images(&declaration("One", "v + x + 1.0"), Some(&out_dir)), [""; 0].map(PathBuf::from));
}

#[test]
fn no_contraction() {
    if !has_compiler() {
        return;
    }
    let mut package = Package::new(&[("src/lib.rs", declaration("One", "v * 0.5 + x * 0.25"))]);
    package.settings.formats = vec![Format::F32, Format::F64];
    package.compile().unwrap();
    for folder in folders(&package, "One-") {
        let f32 = String::from_utf8(read(&folder.join("f32.compute_80.ptx.lz4"))).unwrap();
        let count = |what: &str| f32.matches(what).count();
        let [fused, last, approximate, reciprocals] =
            ["fma.rn.ftz.f32", "fma.rn.f32", "approx", "rcp.approx.ftz.f32"].map(count);
        assert!(count("mul.rn.f32") > 0 && reciprocals > 0);
        // A reciprocal is made of an approximation and of two fused operations, the first of which takes subnormal
        // numbers for zeros. Nothing else is approximate, fused, or does that.
        assert_eq!([last, approximate, count(".ftz")], [fused, reciprocals, fused + reciprocals]);
        assert!(!f32.contains("div.full"));
    }
}

/// PTX that comes with a cubin is the PTX that is compiled alone.
#[test]
fn ptx_is_the_same_with_a_cubin_and_without() {
    if !has_compiler() {
        return;
    }
    let mut package = Package::new(&[("src/lib.rs", declaration("One", "v + x"))]);
    let ptx = |package: &Package| {
        package.compile().unwrap();
        let [folder] = folders(package, "One-").try_into().unwrap();
        read(&folder.join("f32.compute_80.ptx.lz4"))
    };
    let with_cubin = ptx(&package);
    package.settings.targets.retain(|target| target.is_ptx());
    std::fs::remove_dir_all(images::root(&package.out_dir())).unwrap();
    assert_eq!(ptx(&package), with_cubin);
}

#[test]
fn what_the_compiler_refuses() {
    if !has_compiler() {
        return;
    }
    let mut package = Package::new(&[("src/lib.rs", declaration("One", "v + x"))]);
    package.settings.targets = vec![Target::parse("sm_20").unwrap(), Target::parse("sm_80").unwrap()];
    let error = package.compile().unwrap_err();
    assert!(
        matches!(&error, Error::Compile { neuron, format: Format::F32, .. } if neuron == "One"),
        "{error:?}"
    );
    for part in ["`One`", "f32", "sm_20", "architecture"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    package.settings.mode = Mode::Auto;
    let outcome = package.compile().unwrap();
    assert_eq!(outcome.warnings, [error.to_string()]);
    assert_eq!(package.images(), ["One/f32.sm_80.cubin.lz4"]);
}
