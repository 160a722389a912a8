//! Every declaration's derivatives against finite differences, and recomputed gradients against those from saved
//! derivatives.

use neuron_runtime::gradcheck;
use neuron_runtime::gradcheck::Failure;

/// States whose gradient is 0 wherever it is compared, since they decide something and no more, or count down below 1.
/// Differences cannot tell that from a gradient that rounding hides.
const ZERO: [(&str, &str); 6] = [
    ("snntorch_alpha_zero", "grad_v"),
    ("snntorch_alpha_subtract", "grad_v"),
    ("bindsnet_izhikevich", "grad_s"),
    ("brian2_lif_exact", "grad_left"),
    ("brian2_cuba_exact", "grad_left"),
    ("brian2_hh_exponential_euler", "grad_free"),
];

macro_rules! gradients {
    ($($name:literal => $module:ident::$neuron:ident),+) => {
        #[test]
        fn gradients() {
            let results = [$(($name, gradcheck(&neurons_dialects::$module::$neuron::default()))),+];
            let failures: Vec<String> = results
                .into_iter()
                .filter_map(|(name, result)| match result {
                    Err(Failure::TooFew { gradient, .. }) if ZERO.contains(&(name, gradient)) => None,
                    Err(failure) => Some(format!("{name}: {failure}")),
                    Ok(_) => None,
                })
                .collect();
            assert!(failures.is_empty(), "{}", failures.join("\n"));
        }
    };
}

neurons_dialects::with_dialects!(gradients);
