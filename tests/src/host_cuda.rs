//! Emitted CUDA source as C++: compiled by the host compiler with `shim/cuda.h`, and loaded.

use std::ffi::c_void;
use std::path::Path;
use std::process::{Command, Stdio};

use libloading::Library;
use neuron_abi::kernel;
use neuron_codegen::emit::cuda::arguments;
use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::Program;
use neuron_codegen::schedule::{Schedule, Staging, Target};
use neuron_codegen::variant::Class;

/// The shim; a source text starts with it.
pub const SHIM: &str = include_str!("../shim/cuda.h");

/// Without contraction, and with nothing that relaxes IEEE 754. Little is optimised: compiling takes longer
/// than running.
const OPTIONS: [&str; 6] = ["-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-w"];

/// A C++ compiler that takes the options of GCC.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// With arguments that it always gets: `ccache c++`.
    command: Vec<String>,
}

impl Compiler {
    /// `$CXX`, else `c++`; or `None` with the reason printed.
    ///
    /// # Panics
    /// There is none, and `NEURON_TEST_CXX` is `require`.
    pub fn find() -> Option<Self> {
        let cxx = std::env::var("CXX").ok().filter(|cxx| !cxx.trim().is_empty());
        let cxx = cxx.unwrap_or_else(|| "c++".to_owned());
        let compiler = Self { command: cxx.split_whitespace().map(str::to_owned).collect() };
        let silent = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let found = silent(compiler.command().arg("--version"));
        let reason = match found {
            Ok(status) if status.success() => return Some(compiler),
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let required = std::env::var_os("NEURON_TEST_CXX").is_some_and(|value| value == "require");
        assert!(!required, "no C++ compiler: `{cxx}`: {reason}");
        println!("skipped: no C++ compiler: `{cxx}`: {reason}");
        None
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command
    }

    /// Compiles `source`, which does not include the shim yet, for one data format, and loads it. Files are
    /// in `directory` under `name`.
    ///
    /// # Panics
    /// The source is not valid.
    pub fn load(&self, directory: &Path, name: &str, format: &str, source: &str) -> Library {
        self.try_load(directory, name, format, source, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`load`](Self::load), with more options.
    ///
    /// # Errors
    /// What the compiler says of the source, or why it cannot be run.
    pub fn try_load(
        &self,
        directory: &Path,
        name: &str,
        format: &str,
        source: &str,
        options: &[&str],
    ) -> Result<Library, String> {
        let text = directory.join(format!("{name}_{format}.cpp"));
        let library = directory.join(format!("{name}_{format}.so"));
        std::fs::write(&text, format!("{SHIM}\n{source}")).map_err(|error| error.to_string())?;
        let mut command = self.command();
        command.args(OPTIONS).args(options).arg(format!("-D{}", format.to_uppercase()));
        command.arg("-o").args([&library, &text]);
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{command:?}\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        // SAFETY: the library was just made of kernels, and has no initialisers.
        unsafe { Library::new(&library) }.map_err(|error| error.to_string())
    }
}

/// Whether kernels call functions whose float64 versions are those of the C library.
pub fn is_transcendental(kernels: &str) -> bool {
    let exact = ["abs", "sqrt", "round", "floor", "trunc", "min", "max", "reciprocal"];
    kernels.split("math::").skip(1).any(|call| {
        let name = call.split('(').next().unwrap_or_default();
        !exact.contains(&name)
    })
}

/// The launches of all kernels of a neuron.
#[derive(Clone, Debug)]
pub struct Launches {
    /// Of functions called by [`launch_name`], after the neuron's own source.
    pub source: String,
    /// Whether kernels call functions whose float64 versions are those of the C library.
    pub is_transcendental: bool,
}

impl Launches {
    /// Of what is declared by `text`, which is [`Spec::declaration`](neurons::Spec::declaration).
    ///
    /// # Errors
    /// It is no declaration.
    pub fn of(text: &str) -> Result<Self, String> {
        let tokens = text.parse().map_err(|error| format!("{error}: {text}"))?;
        let model = neuron_codegen::check::analyse(tokens).model.ok_or("no neuron is declared")?;
        let mut derived = Derived::new(model);
        let programs = neuron_codegen::kernel::programs(&mut derived);
        let kernels = neuron_codegen::emit::cuda::kernels(&derived, &programs);
        let is_transcendental = is_transcendental(&kernels);
        Ok(Self { source: launches(&derived, &programs), is_transcendental })
    }
}

/// A launch of one kernel on the CPU: pointers to its arguments, number of neurons.
pub type Launch = unsafe extern "C" fn(*const *mut c_void, u64);

/// The name of the [`Launch`] of a kernel.
pub fn launch_name(kernel: &str) -> String {
    format!("launch_{kernel}")
}

/// The source of a [`Launch`] for the kernels that pack spikes and unpack them, after [`launches`].
pub const BIT_LAUNCHES: &str = r#"
extern "C" void JOIN(launch_, KERNEL(pack_spikes))(void *const *args, u64 threads) {
    shim::launch(threads, [args] {
        KERNEL(pack_spikes)(
            shim::argument<u64>(args[0]), shim::argument<u64>(args[1]),
            shim::argument<const scalar_t *>(args[2]), shim::argument<u32 *>(args[3]));
    });
}

extern "C" void JOIN(launch_, KERNEL(unpack_spikes))(void *const *args, u64 threads) {
    shim::launch(threads, [args] {
        KERNEL(unpack_spikes)(
            shim::argument<u64>(args[0]), shim::argument<u64>(args[1]),
            shim::argument<const u32 *>(args[2]), shim::argument<scalar_t *>(args[3]));
    });
}
"#;

/// The source of a [`Launch`] for every kernel that the neuron's source has.
pub fn launches(derived: &Derived, programs: &[Program]) -> String {
    let mut text = "#define JOIN_(a, b) a##b\n#define JOIN(a, b) JOIN_(a, b)\n".to_owned();
    for program in programs.iter().filter(|program| !program.variant.relaxed) {
        let name = program.variant.name();
        let votes = program.signature.outputs.iter().any(|buffer| buffer.class == Class::Bits);
        let how = if votes { "launch_warps(" } else { "launch(" };
        text += &launch(derived, program, &name, how);
        let few = Schedule::few(program, Target::CUDA).map(|schedule| schedule.staging);
        if let Some(Staging::Group(group)) = few {
            let how = format!("launch_blocks({}, ", group.threads());
            text += &launch(derived, program, &kernel::few(&name), &how);
        }
        let scan = Schedule::scan(program, Target::CUDA).map(|schedule| schedule.staging);
        if let Some(Staging::Maps(warps)) = scan {
            let how = format!("launch_blocks({}, ", warps.threads());
            text += &launch(derived, program, &kernel::scan(&name), &how);
        }
    }
    text
}

fn launch(derived: &Derived, program: &Program, name: &str, how: &str) -> String {
    let kernel = format!("KERNEL({name})");
    let values: Vec<String> = arguments(derived, program)
        .iter()
        .enumerate()
        .map(|(i, argument)| format!("shim::argument<{}>(args[{i}])", argument.format))
        .collect();
    let values = values.join(",\n            ");
    format!(
        "
extern \"C\" void JOIN(launch_, {kernel})(void *const *args, u64 neurons) {{
    shim::{how}neurons, [args] {{
        {kernel}(
            {values});
    }});
}}
"
    )
}
