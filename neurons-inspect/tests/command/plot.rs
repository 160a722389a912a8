//! `plot`.

use neurons_inspect::Neurons;

use crate::{bad, good, run};

/// An SVG without coordinates that are none.
fn is_picture(svg: &str) -> bool {
    svg.starts_with("<svg")
        && svg.trim_end().ends_with("</svg>")
        && !svg.contains("NaN")
        && svg.contains("<polyline")
}

#[test]
fn every_neuron_in_every_way() {
    for neuron in Neurons::default().zoo().iter() {
        let spec = neuron.spec();
        for input in ["step", "ramp", "noise"] {
            let svg = good(&["plot", spec.name, "--input", input, "--out", "-"]);
            assert!(is_picture(&svg), "{} {input}", spec.name);
            assert_eq!(svg.contains("threshold"), spec.fires(), "{}", spec.name);
            for state in spec.states {
                assert!(svg.contains(state.name), "{} {}", spec.name, state.name);
            }
        }
        for kind in ["fi", "gradient"] {
            assert!(is_picture(&good(&["plot", spec.name, "--kind", kind, "--out", "-"])), "{}", spec.name);
        }
        let phase = ["plot", spec.name, "--kind", "phase", "--out", "-"];
        if spec.states.len() == 1 {
            assert!(bad(&phase).contains(&format!("{} has only `v`", spec.name)));
        } else {
            assert!(is_picture(&good(&phase)), "{}", spec.name);
        }
    }
}

/// Any two states of a neuron with three; the one that is not given is `v`, or the first of the others.
#[test]
fn phase_planes_of_any_two_states() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("three.rs");
    let text = "struct Three { state a = 0.0; state b = 0.0; charge = v + (x - v) / 5.0 - a; \
        update a = 0.9 * a + spike; update b = 0.8 * b + a; reset hard; }";
    std::fs::write(&file, text).unwrap();
    let plot = |axes: &[&str]| {
        let svg = good(&[&["plot", file.to_str().unwrap(), "--kind", "phase", "--out", "-"], axes].concat());
        assert!(is_picture(&svg), "{axes:?}");
        svg
    };
    let stay =
        |svg: &str, states: [&str; 2]| states.iter().all(|state| svg.contains(&format!("{state} stays")));
    let plain = plot(&[]);
    assert!(stay(&plain, ["v", "a"]) && plain == plot(&["--across", "v", "--state", "a"]));
    assert!(stay(&plot(&["--state", "b"]), ["v", "b"]));
    assert!(stay(&plot(&["--across", "b"]), ["b", "v"]));
    let others = plot(&["--across", "a", "--state", "b"]);
    assert!(stay(&others, ["a", "b"]) && !others.contains("v stays"));
    assert!(stay(&plot(&["--state", "v"]), ["a", "v"]));
}

#[test]
fn all_surrogates() {
    let svg = good(&["plot", "--kind", "surrogate", "--out", "-"]);
    assert!(is_picture(&svg));
    for surrogate in neuron_runtime::Surrogate::all() {
        assert!(svg.contains(surrogate.name()), "{surrogate}");
        let one = good(&["plot", surrogate.name(), "--kind", "surrogate", "--out", "-"]);
        assert!(is_picture(&one) && one.contains(&format!("{}: surrogate", surrogate.name())), "{one}");
    }
}

#[test]
fn settings_change_the_picture() {
    let plot = |arguments: &[&str]| good(&[&["plot", "lif", "--out", "-"], arguments].concat());
    let plain = plot(&[]);
    assert_eq!(plain, plot(&[]));
    let other = plot(&["--set", "tau=20", "--set", "decay_input=false", "--reset", "soft"]);
    assert!(other.contains("soft reset, tau = 20, decay_input = false"), "{other}");
    for setting in [["--amplitude", "-2"], ["--steps", "77"], ["--input", "noise"]] {
        assert_ne!(plain, plot(&setting), "{setting:?}");
    }
    assert_ne!(plot(&["--input", "noise"]), plot(&["--input", "noise", "--seed", "2"]));
    let further = |value| good(&["plot", "glif", "--set", value, "--out", "-"]);
    assert_ne!(further("conduct=0"), further("conduct=-9"));
}

#[test]
fn gradients_are_of_the_surrogate() {
    let plot = |arguments: &[&str]| {
        good(&[&["plot", "lif", "--kind", "gradient", "--out", "-", "--steps", "60"], arguments].concat())
    };
    let plain = plot(&[]);
    assert!(plain.contains("Of the last step, T = 60, with ATan(alpha=2)"), "{plain}");
    // Below the threshold it is the leak's, whatever the surrogate: 1/2 in the last step, half of it a step before.
    let quiet = plot(&["--amplitude", "0", "--set", "tau=2"]);
    assert!(quiet.contains("\n0.5\n") && !quiet.contains("\n1.0\n"), "{quiet}");
    assert_ne!(plain, plot(&["--surrogate", "rect"]));
    assert!(plot(&["--detach-reset"]).contains("ATan(alpha=2), reset detached"));
}

#[test]
fn files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lif.svg");
    let ran = run(&["plot", "lif", "--out", path.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert_eq!(ran.err, format!("wrote {}\n", path.display()));
    assert!(is_picture(&std::fs::read_to_string(path).unwrap()));
}

#[test]
fn what_cannot_be_drawn() {
    for (arguments, expected) in [
        (&["plot", "lif", "--out", "lif.png"][..], "expected an SVG file, found `lif.png`; use `lif.svg`"),
        (&["plot", "lif", "--out", "/nowhere/lif.svg"], "cannot write `/nowhere/lif.svg`"),
        (
            &["plot", "lif", "--set", "taw=3"],
            "no parameter, flag or additional input `taw`, did you mean `tau`?",
        ),
        (&["plot", "lif", "--set", "tau=0.5"], "parameter `tau` is 0.5, but must satisfy `tau > 1.0`"),
        (&["plot", "lif", "--set", "tau=x"], "expected a number for `tau`, found `x`"),
        (
            &["plot", "lif", "--set", "decay_input=1"],
            "expected a flag (`true` or `false`) for `decay_input`, found `1`",
        ),
        (&["plot", "lif", "--set", "tau"], "expected `NAME=VALUE`"),
        (
            &["plot", "lif", "--reset", "none"],
            "Lif was not declared with reset `none`; available: hard, soft",
        ),
        (&["plot", "lif", "--steps", "1"], "1 is not in 2..=100000"),
        (&["plot", "lif", "--amplitude", "nan"], "not a finite number"),
        (&["plot", "ad_ex", "--kind", "phase", "--state", "u"], "AdEx has no state `u`; available: v, w"),
        (
            &["plot", "ad_ex", "--kind", "phase", "--across", "w", "--state", "w"],
            "both axes of the phase plane are `w`",
        ),
        (&["plot", "--kind", "fi"], "neurons plot NEURON --kind fi"),
        (&["plot", "lif", "--kind", "gradient", "--surrogate", "step"], "unknown surrogate `step`"),
        (&["plot", "lif", "--kind", "phases"], "a similar value exists: 'phase'"),
    ] {
        let error = bad(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}
