//! A crate of a user's own, outside the workspace, built by cargo as a user would.

use std::process::{Command, Output};

use super::*;

const MAIN: &str = r#"
    use neuron_runtime::{DeclaredNeuron, neuron};
    mod other;
    neuron! { pub struct One { charge = v + x; reset hard | soft; } }
    fn main() {
        for spec in [One::SPEC, other::Two::SPEC] {
            let images: Vec<_> = spec.cuda.images().iter().map(|i| format!("{}.{}", i.format, i.target)).collect();
            println!("{} {}", spec.name, images.join(" "));
        }
    }
"#;

fn other(factor: &str) -> String {
    format!("use neuron_runtime::neuron; {}", declaration("Two", &format!("v + {factor} * x")))
}

struct Crate {
    package: Package,
    target: PathBuf,
}

impl Crate {
    fn new() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = format!(
            "[package]\nname = 'scratch'\nversion = '0.0.0'\nedition = '2024'\n\
             [dependencies]\nspiking-neurons-runtime = {{ path = '{0}/neuron-runtime' }}\n\
             [build-dependencies]\nspiking-neurons-codegen = {{ path = '{0}/neuron-codegen' }}\n[workspace]\n",
            here.display()
        );
        let package = Package::new(&[
            ("Cargo.toml", manifest),
            ("build.rs", "fn main() { neuron_codegen::build::neurons(); }".into()),
            ("src/main.rs", MAIN.into()),
            ("src/other.rs", other("2.0")),
        ]);
        // The same versions as here, which are at hand already.
        std::fs::copy(here.join("Cargo.lock"), package.folder.path().join("Cargo.lock")).unwrap();
        let target = package.folder.path().join("target");
        Self { package, target }
    }

    fn run(&self, variables: &[(&str, &str)]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--offline"]).current_dir(self.package.folder.path());
        cargo.env("CARGO_TARGET_DIR", &self.target).env("NEURON_CUDA_TARGETS", "sm_90,compute_80");
        cargo.env("NEURON_CUDA_FORMATS", "f32,bf16").envs(variables.iter().copied());
        cargo.output().expect("cargo runs")
    }

    /// When each image was written.
    fn written(&self) -> Vec<(PathBuf, std::time::SystemTime)> {
        let outs = entries(&self.target.join("debug/build")).into_iter().map(|folder| folder.join("out"));
        let folders = outs.flat_map(|out| entries(&images::root(&out)));
        let mut files: Vec<_> = folders.flat_map(|folder| entries(&folder)).collect();
        files.sort();
        files.into_iter().map(|file| (file.clone(), file.metadata().unwrap().modified().unwrap())).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Compiles the workspace's libraries and their dependencies again, which takes a minute.
#[test]
#[ignore = "slow: cargo build in a folder of its own"]
fn a_crate_outside_the_workspace() {
    if !has_compiler() {
        return;
    }
    let scratch = Crate::new();
    let images = "sm_90 bf16.sm_90 f32.compute_80 bf16.compute_80";
    let all = format!("One f32.{images}\nTwo f32.{images}\n");
    let none = "One \nTwo \n";

    let output = scratch.run(&[("NEURON_CUDA", "require")]);
    assert_eq!(text(&output.stdout), all, "{}", text(&output.stderr));

    let before = scratch.written();
    scratch.package.write("src/other.rs", &other("3.0"));
    let output = scratch.run(&[("NEURON_CUDA", "require")]);
    assert_eq!(text(&output.stdout), all, "{}", text(&output.stderr));
    let after = scratch.written();
    assert_eq!((before.len(), after.len()), (10, 10), "eight images and two stamps");
    assert_eq!(after.iter().filter(|file| !before.contains(file)).count(), 5, "those of `Two`");

    let output = scratch.run(&[("NEURON_CUDA", "off")]);
    assert_eq!(text(&output.stdout), none, "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("warning"), "{}", text(&output.stderr));

    let output = scratch.run(&[("NEURON_CUDA", "maybe")]);
    assert!(text(&output.stderr).contains("`NEURON_CUDA=maybe`: expected `auto`, `require` or `off`"));
    assert!(!output.status.success());
}
