//! Other names for the same declaration. None of them may make a difference.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::ast::Declaration;

/// Names that Rust allows and that something between the declaration and the GPU has another use for.
const NAMES: &[&str] = &[
    // Keywords of C++ and CUDA.
    "alignas",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "char",
    "class",
    "compl",
    "concept",
    "consteval",
    "constexpr",
    "default",
    "delete",
    "double",
    "export",
    "float",
    "goto",
    "inline",
    "int",
    "long",
    "namespace",
    "new",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "private",
    "register",
    "requires",
    "short",
    "signed",
    "sizeof",
    "switch",
    "template",
    "this",
    "typename",
    "union",
    "unsigned",
    "using",
    "void",
    "volatile",
    "wchar_t",
    "xor",
    "blockIdx",
    "blockDim",
    "threadIdx",
    "gridDim",
    "warpSize",
    "half",
    "__global__",
    "__half",
    "_Bool",
    "restrict",
    // Keywords of Rust.
    "r#type",
    "r#fn",
    "r#match",
    "r#gen",
    "r#async",
    "r#loop",
    "r#move",
    "r#ref",
    "r#box",
    "r#try",
    "r#in",
    "r#while",
    "r#if",
    // What generated code calls things.
    "num",
    "lane",
    "lanes",
    "step",
    "steps",
    "chunk",
    "tile",
    "acc_t",
    "scalar_t",
    "surrogates",
    "Chunk",
    "h_",
    "gradient",
    "params",
    "SPEC",
    "Some",
    "None",
    "Ok",
    "Err",
    "E",
    "R",
    "LANES",
    "STEPS",
    "exp_",
    "term_1",
    "grad_x",
    "x_next",
    "v_seq",
    "x_seq",
    "s",
    "s_to_h",
    "v_to_h",
    "x_lanes",
    "fired",
    "detach_reset",
    "slope",
    "slope_1",
    "slope_lanes",
    "primitive",
    "held",
    "term_2",
    "output_",
    "spike_seq",
    "spike_bits",
    "grad_h",
    "grad_s_to_h",
    "grad_v_next",
    "v_checkpoints",
    "v_before",
    "x_chunk",
    "index",
    "neurons",
    "math",
    "load",
    "store",
    "reciprocal",
    "first",
    "row",
    "rows",
    "f32",
    "f64",
    "u32",
    "u64",
    "usize",
    "std",
    "core",
    "neuron",
    "call",
    "values",
    "count",
    "inner",
    "w_in",
    "w_out",
    "select",
    "powi",
    "from_f64",
    "to_f64",
    "self_",
    "KERNEL",
    "PAIR",
    "F32",
    "ROUND",
    "Element",
    "Params",
    "Neuron",
    // Macros of C.
    "linux",
    "unix",
    "assert",
    "NULL",
    "INFINITY",
    "NAN",
    "errno",
    "stdin",
    "I",
    "M_PI",
    "EOF",
    "true_",
    // Single letters, and others.
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "i",
    "j",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "q",
    "r",
    "t",
    "u",
    "w",
    "x",
    "y",
    "z",
    "A",
    "B",
    "N",
    "T",
    "U",
    "V",
    "X",
    "α",
    "β",
    "τ",
    "Δt",
    "ω",
    "größe",
    "電位",
    "ñ",
    "_a",
    "__x",
    "a_b",
    "a_",
    "_1",
];

/// The same for structs.
const STRUCTS: &[&str] = &[
    "Some", "E", "R", "Params", "Kernel", "Option", "Vec", "Neuron", "Fptt", "Result", "Lif", "Error",
    "Reset", "Element", "Value", "Default", "Self_", "Ω", "Übung", "Half", "LANES", "SPEC", "Clone", "A",
    "Forward", "Gen", "Box", "String", "Copy", "Send", "Spec", "Tile", "Rows", "Real", "Gradient", "Union",
    "Class", "Int", "Double",
];

/// `declaration` with every name drawn anew.
pub fn renamed(declaration: &Declaration, seed: u64) -> Declaration {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut new = declaration.clone();
    let (mut pool, mut structs) = (NAMES.to_vec(), STRUCTS.to_vec());
    pool.shuffle(rng);
    structs.shuffle(rng);
    let names = new.names_mut();
    let drawn = structs.into_iter().take(1).chain(pool);
    names.into_iter().zip(drawn).for_each(|(name, drawn)| *name = drawn.to_owned());
    new
}

/// From the names of one declaration to those of another that is the same but for them.
#[derive(Clone, Debug)]
pub struct Names(HashMap<String, String>);

/// What turns the names of `renamed` into those of `original`.
pub fn with_names_of(original: &Declaration, renamed: &Declaration) -> Names {
    let (mut original, mut renamed) = (original.clone(), renamed.clone());
    let plain = |name: &String| name.trim_start_matches("r#").to_owned();
    let pairs = renamed.names_mut().into_iter().zip(original.names_mut());
    Names(pairs.map(|(from, to)| (plain(from), to.clone())).collect())
}

impl Names {
    /// `text` with every name replaced.
    pub fn translate(&self, text: &str) -> String {
        let mut out = String::new();
        let mut word = String::new();
        let end = |word: &mut String, out: &mut String| {
            // What is called `r#if` stands among words of the language that are no names.
            let name = self.0.get(word.as_str()).filter(|_| !matches!(word.as_str(), "if" | "else"));
            out.push_str(name.unwrap_or(word));
            word.clear();
        };
        for letter in text.replace("r#", "").chars() {
            if letter.is_alphanumeric() || letter == '_' {
                word.push(letter);
            } else {
                end(&mut word, &mut out);
                out.push(letter);
            }
        }
        end(&mut word, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_different() {
        for names in [NAMES, STRUCTS] {
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        }
    }
}
