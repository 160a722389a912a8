//! Names as mathematical symbols.

/// Names of letters, as LaTeX has them too.
const GREEK: [&str; 24] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "varphi",
];

/// Something that changes over time, at `time`.
pub fn state(name: &str, time: &str) -> String {
    let symbol = match name {
        "v" | "h" | "x" => name.to_uppercase(),
        "spike" => "S".to_owned(),
        "output" => "Y".to_owned(),
        _ => subscripted(name),
    };
    format!("{symbol}[{time}]")
}

/// `tau_mem` with its index: `\tau_{\mathrm{mem}}`.
pub fn subscripted(name: &str) -> String {
    if name == "dt" {
        return r"\Delta t".to_owned();
    }
    let (base, index) = name.split_once('_').unwrap_or((name, ""));
    let letters = base.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &base[letters.len()..];
    let symbol = match letters {
        // The capital of the potential.
        "v" if !index.is_empty() => "V".to_owned(),
        _ if GREEK.contains(&letters) => format!(r"\{letters}"),
        _ if letters.chars().count() == 1 => letters.to_owned(),
        _ => format!(r"\mathrm{{{letters}}}"),
    };
    let words = index.split('_').filter(|word| !word.is_empty()).map(|word| format!(r"\mathrm{{{word}}}"));
    let indices: Vec<String> =
        (!digits.is_empty()).then(|| digits.to_owned()).into_iter().chain(words).collect();
    if indices.is_empty() { symbol } else { format!("{symbol}_{{{}}}", indices.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_symbols() {
        for (name, expected) in [
            ("a", "a"),
            ("a0", "a_{0}"),
            ("tau", r"\tau"),
            ("tau_mem", r"\tau_{\mathrm{mem}}"),
            ("v_reset", r"V_{\mathrm{reset}}"),
            ("leak", r"\mathrm{leak}"),
            ("theta_rh_2", r"\theta_{\mathrm{rh},\mathrm{2}}"),
        ] {
            assert_eq!(subscripted(name), expected);
        }
        assert_eq!(state("x", "t"), "X[t]");
        assert_eq!(state("refractory", "t-1"), r"\mathrm{refractory}[t-1]");
    }
}
