//! What a misspelt word was probably meant to be.

/// What other tools and papers call the quantities that every neuron has here.
const ALIASES: [(&str, &[&str]); 4] = [
    (
        "v_threshold",
        &["vth", "v_th", "vthr", "v_thr", "threshold", "thresh", "v_thresh", "theta", "th", "vthreshold"],
    ),
    ("v_reset", &["vr", "v_r", "vreset", "u_reset", "reset_v", "v_rest", "vrest", "u_rest", "e_l"]),
    ("v", &["u", "mem", "membrane", "vm", "v_m", "u_m", "potential", "voltage"]),
    ("spike", &["s", "fired", "fire", "spikes", "spk", "z"]),
];

/// What other tools and papers call the input.
const INPUT: [&str; 14] = [
    "x",
    "i",
    "i_in",
    "iin",
    "i_ext",
    "i_syn",
    "input",
    "inputs",
    "inp",
    "in",
    "current",
    "drive",
    "x_t",
    "input_current",
];

/// The one of `known` that `name` is most likely to be. `input` is the neuron's input, if there is one.
pub fn name<'a>(name: &str, known: &[&'a str], input: Option<&'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    if let Some(found) = known.iter().find(|known| known.to_lowercase() == lower) {
        return Some(found);
    }
    for (meant, aliases) in ALIASES {
        if let Some(found) = known.iter().find(|known| **known == meant && aliases.contains(&&*lower)) {
            return Some(found);
        }
    }
    if INPUT.contains(&&*lower) && input.is_some() {
        return input;
    }
    closest(&lower, known).or_else(|| {
        // `tau_m` for `tau`.
        let stem = lower.split('_').next().filter(|stem| stem.len() > 1)?;
        known.iter().copied().find(|known| known.to_lowercase() == stem)
    })
}

/// The one of `states` that `name` is, or is the next value or the derivative of: `w`, `w_next`, `new_w` or `dw` for `w`.
pub fn state<'a>(name: &str, states: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let affixes = |state: &str| {
        let state = state.to_lowercase();
        let next = ["next", "new"].map(|next| [format!("{state}_{next}"), format!("{next}_{state}")]);
        let slope = [format!("d{state}"), format!("d{state}_dt"), format!("{state}_dot")];
        [state].into_iter().chain(next.into_iter().flatten()).chain(slope).collect::<Vec<_>>()
    };
    states.iter().copied().find(|state| affixes(state).contains(&lower))
}

/// The one of `known` that differs from `name` by the fewest slips of the finger, if they are few.
pub fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // One slip in three letters: `b` is not a misspelt `a`.
    let most = name.chars().count() / 3;
    known
        .iter()
        .map(|&known| (distance(name, &known.to_lowercase()), known))
        .filter(|&(distance, _)| distance <= most)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// What to write instead of an unknown function, as a hint.
pub fn function(name: &str, known: &[&str], args: &[String]) -> Option<String> {
    let lower = name.to_lowercase();
    let arg = |i: usize| args.get(i).map_or("x", String::as_str);
    let group = |i: usize| {
        let arg = arg(i);
        let atom = arg.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if atom { arg.to_owned() } else { format!("({arg})") }
    };
    let x = arg(0);
    Some(match lower.as_str() {
        "log" | "loge" | "logf" => format!("did you mean `ln`? The natural logarithm is `ln({x})`"),
        "log2" => format!("write `ln({x}) / ln(2.0)`"),
        "log10" => format!("write `ln({x}) / ln(10.0)`"),
        "pow" | "powi" | "powf" | "power" => {
            let exponent = args.get(1).map_or("2", String::as_str);
            if exponent.parse::<i32>().is_ok() {
                format!("a power is written with `^`: `{}^{exponent}`", group(0))
            } else {
                format!("an integer power is `{}^2`, any other `exp({exponent} * ln({x}))`", group(0))
            }
        }
        "square" | "sq" => format!("write `{}^2`", group(0)),
        "tan" => format!("write `sin({x}) / cos({x})`"),
        "ceil" => format!("write `-floor(-{})`", group(0)),
        "relu" => format!("write `max({x}, 0.0)`"),
        "heaviside" | "step" | "theta" if known.contains(&"heaviside") => {
            format!("write `heaviside({x} >= 0.0)`")
        }
        "heaviside" | "step" | "theta" => format!("write `if {x} >= 0.0 {{ 1.0 }} else {{ 0.0 }}`"),
        "stop_gradient" | "stopgrad" | "sg" | "no_grad" if known.contains(&"detach") => {
            format!("write `detach({x})`")
        }
        "sign" | "signum" => format!("write `if {x} < 0.0 {{ -1.0 }} else {{ 1.0 }}`"),
        "exp2" => format!("write `exp({} * ln(2.0))`", group(0)),
        _ => {
            let alias = match lower.as_str() {
                "sigm" | "logistic" | "expit" | "sig" => "sigmoid",
                "fabs" | "absolute" => "abs",
                "arctan" | "atanf" => "atan",
                "clip" => "clamp",
                "minimum" | "fmin" => "min",
                "maximum" | "fmax" => "max",
                "expf" => "exp",
                "exp_m1" => "expm1",
                "ln_1p" | "ln1p" => "log1p",
                "rint" | "nearbyint" | "nint" => "round",
                "fix" | "truncate" => "trunc",
                _ => {
                    known.iter().find(|known| **known == lower).copied().or_else(|| closest(&lower, known))?
                }
            };
            format!("did you mean `{alias}`?")
        }
    })
}

/// The keyword of an item that `word` is most likely to be.
pub fn keyword(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let alias = match lower.as_str() {
        "parameter" | "parameters" | "params" | "const" | "constant" | "static" => "param",
        "bool" | "switch" | "option" => "flag",
        "var" | "variable" | "states" => "state",
        "charging" => "charge",
        "fire" | "firing" => "threshold",
        "def" | "define" => "let",
        _ => known.iter().find(|known| **known == lower).copied().or_else(|| closest(&lower, known))?,
    };
    Some(alias)
}

/// How many letters have to be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_slips() {
        assert_eq!(distance("param", "param"), 0);
        assert_eq!(distance("parm", "param"), 1);
        assert_eq!(distance("chagre", "charge"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn recognises_what_a_state_becomes() {
        let states = ["w", "g_e", "v"];
        for (wrong, meant) in [
            ("w", Some("w")),
            ("w_next", Some("w")),
            ("next_g_e", Some("g_e")),
            ("G_E_new", Some("g_e")),
            ("dv_dt", Some("v")),
            ("dw", Some("w")),
            ("w_inf", None),
            ("next", None),
        ] {
            assert_eq!(state(wrong, &states), meant, "{wrong}");
        }
    }

    #[test]
    fn suggests_what_is_known_and_near() {
        let known = ["tau", "v", "v_threshold", "x", "decay_input", "a", "b"];
        for (wrong, meant) in [
            ("V", Some("v")),
            ("vth", Some("v_threshold")),
            ("u_m", Some("v")),
            ("I", Some("x")),
            ("taw", Some("tau")),
            ("Tau_m", Some("tau")),
            ("decay_inptu", Some("decay_input")),
            ("c", None),
            ("delta", None),
        ] {
            assert_eq!(name(wrong, &known, Some("x")), meant, "{wrong}");
        }
    }
}
