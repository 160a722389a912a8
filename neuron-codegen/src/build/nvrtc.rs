//! NVRTC: NVIDIA's compiler as one shared library. It needs neither a GPU nor a host compiler.

use std::ffi::{CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::ptr;

use libloading::Library;

use super::error::Error;

/// `nvrtcProgram`.
type Program = *mut c_void;
/// `nvrtcResult`.
type Status = c_int;

type Version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> Status;
type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> Status;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Status;
type Size = unsafe extern "C" fn(Program, *mut usize) -> Status;
type Contents = unsafe extern "C" fn(Program, *mut c_char) -> Status;
type Destroy = unsafe extern "C" fn(*mut Program) -> Status;

/// The loaded library.
#[derive(Debug)]
pub struct Nvrtc {
    path: PathBuf,
    version: (c_int, c_int),
    functions: Functions,
    /// Never unloaded, because it keeps threads and handlers.
    _library: ManuallyDrop<Library>,
}

/// The functions in use. They may be called from several threads at once, each with its own program.
#[derive(Debug)]
struct Functions {
    create: Create,
    compile: Compile,
    destroy: Destroy,
    cubin: (Size, Contents),
    ptx: (Size, Contents),
    log: (Size, Contents),
}

impl Nvrtc {
    /// Loads the library at `path`; a name without a directory is looked up by the dynamic loader.
    ///
    /// # Errors
    /// [`Error::NvrtcUnusable`]
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::open(path).map_err(|error| {
            // The error only names the failed call; its source has the reason.
            let reason =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::NvrtcUnusable { path: path.to_owned(), reason }
        })
    }

    fn open(path: &Path) -> Result<Self, libloading::Error> {
        // NVRTC opens its built-in functions by name, which the loader only finds in a folder it does not
        // search if they are loaded already.
        if let Some(builtins) = builtins(path) {
            // SAFETY: NVIDIA's libraries may be loaded at any time; their initialisers have no preconditions.
            std::mem::forget(unsafe { Library::new(&builtins) }?);
        }
        // SAFETY: as above.
        let library = ManuallyDrop::new(unsafe { Library::new(path) }?);
        // SAFETY: each function is looked up with the signature that nvrtc.h gives it, the same since CUDA 11, and
        // the library is never unloaded.
        let (functions, version) = unsafe {
            let functions = Functions {
                create: symbol::<Create>(&library, "nvrtcCreateProgram")?,
                compile: symbol::<Compile>(&library, "nvrtcCompileProgram")?,
                destroy: symbol::<Destroy>(&library, "nvrtcDestroyProgram")?,
                cubin: (symbol(&library, "nvrtcGetCUBINSize")?, symbol(&library, "nvrtcGetCUBIN")?),
                ptx: (symbol(&library, "nvrtcGetPTXSize")?, symbol(&library, "nvrtcGetPTX")?),
                log: (symbol(&library, "nvrtcGetProgramLogSize")?, symbol(&library, "nvrtcGetProgramLog")?),
            };
            (functions, symbol::<Version>(&library, "nvrtcVersion")?)
        };
        let (mut major, mut minor) = (0, 0);
        // SAFETY: the signature is that of nvrtc.h; both pointers are to local integers. The call cannot fail with non-null
        // pointers.
        unsafe { version(&mut major, &mut minor) };
        Ok(Self { path: path.to_owned(), version: (major, minor), functions, _library: library })
    }

    /// Version and path.
    pub fn description(&self) -> String {
        let (major, minor) = self.version;
        format!("NVRTC {major}.{minor} ({})", self.path.display())
    }

    /// The library; a name without a directory if the dynamic loader found it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Compiles a source. `options` name the architecture, and `has_cubin` says whether it is a real one. There is PTX in
    /// either case, since a cubin is assembled from it.
    ///
    /// # Errors
    /// The compiler's output.
    pub fn compile(&self, source: &str, options: &[String], has_cubin: bool) -> Result<Output, String> {
        let text = |text: &str| {
            CString::new(text).map_err(|_| "the source or an option contains a zero byte".to_owned())
        };
        let source = text(source)?;
        let options = options.iter().map(|option| text(option)).collect::<Result<Vec<_>, _>>()?;
        let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let count = c_int::try_from(options.len()).map_err(|_| "too many options".to_owned())?;

        let mut program = Running { program: ptr::null_mut(), functions: &self.functions };
        // SAFETY: `source` and the name are strings that end with zero and outlive the call, which copies
        // them; there are no headers, for which null is allowed.
        let status = unsafe {
            (self.functions.create)(
                &mut program.program,
                source.as_ptr(),
                c"neuron.cu".as_ptr(),
                0,
                ptr::null(),
                ptr::null(),
            )
        };
        check(status, "nvrtcCreateProgram")?;
        // SAFETY: the program was created above; `options` are `count` strings that outlive the call.
        let status = unsafe { (self.functions.compile)(program.program, count, options.as_ptr()) };
        let log = program.read(self.functions.log, "the log")?;
        let log = String::from_utf8_lossy(&log).trim_end_matches('\0').trim_end().to_owned();
        check(status, "nvrtcCompileProgram").map_err(|error| format!("{log}\n{error}"))?;
        let cubin = if has_cubin { program.read(self.functions.cubin, "the cubin")? } else { Vec::new() };
        Ok(Output { cubin, ptx: program.read(self.functions.ptx, "the PTX")?, log })
    }
}

/// What a compilation produced.
#[derive(Debug)]
pub struct Output {
    /// Machine code; empty for a virtual architecture.
    pub cubin: Vec<u8>,
    /// PTX, with its terminating zero.
    pub ptx: Vec<u8>,
    /// The compiler's output.
    pub log: String,
}

/// A program, destroyed on drop.
struct Running<'a> {
    program: Program,
    functions: &'a Functions,
}

impl Running<'_> {
    /// Reads one of the program's outputs.
    fn read(&self, (size, contents): (Size, Contents), what: &str) -> Result<Vec<u8>, String> {
        let mut length = 0;
        // SAFETY: the program was created; the pointer is to a local variable.
        check(unsafe { size(self.program, &mut length) }, what)?;
        let mut bytes = vec![0u8; length];
        // SAFETY: the program was created; the buffer has the size that it asked for.
        check(unsafe { contents(self.program, bytes.as_mut_ptr().cast()) }, what)?;
        Ok(bytes)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.program.is_null() {
            // SAFETY: the program was created, and nothing uses it after this.
            unsafe { (self.functions.destroy)(&mut self.program) };
        }
    }
}

/// Looks up a function of the library.
///
/// # Safety
/// `F` is the type of a pointer to a function of that name, which is not called after the library is unloaded.
unsafe fn symbol<F: Copy>(library: &Library, name: &str) -> Result<F, libloading::Error> {
    // SAFETY: the condition of this function.
    unsafe { library.get::<F>(name).map(|symbol| *symbol) }
}

fn check(status: Status, what: &str) -> Result<(), String> {
    // The codes of nvrtc.h that can occur here.
    let meaning = match status {
        0 => return Ok(()),
        1 => "out of memory",
        5 => "invalid option",
        6 => "compilation failed",
        7 => "built-in functions not found: `libnvrtc-builtins` has to be beside the library",
        11 => "internal error",
        _ => "failed",
    };
    Err(format!("{what}: {meaning} (nvrtcResult {status})"))
}

/// The library with the built-in functions, beside the one at `path`; none if that has no directory.
fn builtins(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    let entries = std::fs::read_dir(folder).ok()?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("libnvrtc-builtins.so"))
        })
        .collect();
    found.sort();
    found.pop()
}
