//! Which names a declaration may give.

use proc_macro2::Ident;

use crate::ir::Func;
use crate::syntax::{KEYWORDS, is_keyword};

/// The functions that are not [`Func`]s.
pub const FUNCTIONS_OF_MORE: [&str; 3] = ["min", "max", "clamp"];

/// Names that generated kernels use, in Rust and in CUDA.
const GENERATED: [&str; 38] = [
    "step",
    "lane",
    "lanes",
    "LANES",
    "PAIR",
    "WIDE",
    "TURNS",
    "STAGED",
    "HALF",
    "THREADS",
    "TWO_BLOCKS",
    "FOUR_BLOCKS",
    "ROUND",
    "F32",
    "F64",
    "F16",
    "BF16",
    "Stage",
    "num",
    "own",
    "block",
    "index",
    "neurons",
    "signal",
    "real",
    "math",
    "reciprocal",
    "load",
    "store",
    "u16",
    "u32",
    "u64",
    "STEPS",
    "Gradient",
    "Values",
    "Block",
    "Neurons",
    "Warp",
];

/// Ends of the names of arrays in generated kernels.
const SUFFIXES: [&str; 10] =
    ["_next", "_seq", "_bits", "_lanes", "_in", "_out", "_block", "_checkpoints", "_before", "_stage"];

/// Keywords of C++ that Rust does not have.
const CPP_KEYWORDS: [&str; 48] = [
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bool",
    "case",
    "catch",
    "char",
    "class",
    "constexpr",
    "decltype",
    "default",
    "delete",
    "double",
    "explicit",
    "export",
    "float",
    "friend",
    "goto",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "not",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "short",
    "signed",
    "sizeof",
    "switch",
    "template",
    "this",
    "throw",
    "typedef",
    "typename",
    "union",
    "unsigned",
    "using",
    "void",
    "volatile",
    "xor",
];

/// The names of all functions.
pub fn functions() -> Vec<&'static str> {
    Func::ALL.into_iter().map(Func::name).chain(FUNCTIONS_OF_MORE).collect()
}

/// Why `ident` cannot be the name of anything; `None` if it can.
pub fn refused(ident: &Ident) -> Option<String> {
    let name = ident.to_string();
    let built_in = match name.as_str() {
        "v" => Some("the membrane potential, which every neuron has"),
        "h" => Some("the charged potential, before reset"),
        "spike" => Some("whether the neuron fires"),
        "fired" => Some("whether the neuron fires, which is written `spike`"),
        "reset" => Some("the reset mode"),
        "gradient" | "detach_reset" => Some("how spikes are differentiated"),
        "steps" => Some("the number of time steps"),
        "params" => Some("all parameters together"),
        name if GENERATED.contains(&name) => Some("a name that generated kernels use themselves"),
        // A pattern of that name would not bind anything.
        "SPEC" | "Some" | "None" | "Ok" | "Err" => Some("a name that generated code uses itself"),
        _ => None,
    };
    Some(if let Some(what) = built_in {
        format!("it is {what}")
    } else if is_keyword(ident) || name.starts_with("r#") {
        "it is a keyword of Rust".to_owned()
    } else if CPP_KEYWORDS.contains(&name.as_str()) {
        "it is a keyword of CUDA C++".to_owned()
    } else if functions().contains(&name.as_str()) {
        "it is a function".to_owned()
    } else if KEYWORDS.contains(&name.as_str()) {
        "items begin with it".to_owned()
    } else if name.starts_with("grad_") {
        "names beginning with `grad_` are those of gradients".to_owned()
    } else if let Some(suffix) = SUFFIXES.into_iter().find(|end| name.ends_with(end)) {
        format!("names ending in `{suffix}` are those of generated arrays")
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;
    use crate::emit::cuda::PRELUDE;

    /// A parameter called like a macro would be replaced.
    #[test]
    fn macros_of_cuda_sources_are_refused() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let defined =
            PRELUDE.lines().map(words).filter(|words| words.first().is_some_and(|word| word == "#define"));
        let names: Vec<String> =
            defined.map(|words| words[1].clone()).filter(|name| !name.contains('(')).collect();
        assert!(names.iter().any(|name| name == "STEPS"), "{names:?}");
        for name in names.iter().map(String::as_str).chain(["F32", "F64", "F16", "BF16"]) {
            assert!(refused(&Ident::new(name, Span::call_site())).is_some(), "{name}");
        }
    }
}
