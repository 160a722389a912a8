//! The neurons of this crate as a table, with the names and parameters of their simulators.

use neuron_runtime::surrogate::{FastSigmoid, Rect, SuperSpike};

use crate::{lava_dl, sinabs};
use neuron_runtime::{Error, Neuron, Reset, Spec, Surrogate, Value};

/// A neuron of this crate and the name under which the reference cases know it.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Simulator and neuron: `bindsnet_lif`.
    pub name: &'static str,
    /// What the declaration is, without its kernels.
    pub spec: &'static Spec,
}

/// Hands the types of all neurons of this crate, with their names, to a macro: `with_dialects!(name)` is
/// `name!("bindsnet_lif" => bindsnet::Lif, ...)`.
#[macro_export]
macro_rules! with_dialects {
    ($callback:ident) => {
        $callback! {
            "norse_lif" => norse::Lif,
            "norse_lif_recurrent" => norse::LifRecurrent,
            "norse_lif_current_encoder" => norse::LifCurrentEncoder,
            "norse_li" => norse::Li,
            "norse_lsnn" => norse::Lsnn,
            "norse_ada_lif" => norse::AdaLif,
            "norse_adex" => norse::AdEx,
            "norse_lif_ex" => norse::LifEx,
            "norse_izhikevich" => norse::Izhikevich,
            "norse_lif_refrac" => norse::LifRefrac,
            "snntorch_leaky_subtract" => snntorch::LeakySubtract,
            "snntorch_leaky_zero" => snntorch::LeakyZero,
            "snntorch_leaky_none" => snntorch::LeakyNone,
            "snntorch_leaky_subtract_nodelay" => snntorch::LeakySubtractNoDelay,
            "snntorch_leaky_zero_nodelay" => snntorch::LeakyZeroNoDelay,
            "snntorch_synaptic_subtract" => snntorch::SynapticSubtract,
            "snntorch_synaptic_zero" => snntorch::SynapticZero,
            "snntorch_lapicque_subtract" => snntorch::LapicqueSubtract,
            "snntorch_lapicque_rc_zero" => snntorch::LapicqueRcZero,
            "snntorch_alpha_zero" => snntorch::AlphaZero,
            "snntorch_alpha_subtract" => snntorch::AlphaSubtract,
            "snntorch_rleaky_subtract" => snntorch::RLeakySubtract,
            "snntorch_stateleaky" => snntorch::StateLeaky,
            "snntorch_leakyparallel" => snntorch::LeakyParallel,
            "sinabs_lif_single" => sinabs::LifSingle,
            "sinabs_lif_membrane_reset" => sinabs::LifMembraneReset,
            "sinabs_lif_multi_syn_min" => sinabs::LifMultiSynMin,
            "sinabs_iaf_multi" => sinabs::IafMulti,
            "sinabs_expleak" => sinabs::ExpLeak,
            "sinabs_alif" => sinabs::Alif,
            "spikingjelly_ilif" => spikingjelly::Ilif,
            "spikingjelly_klif" => spikingjelly::Klif,
            "spikingjelly_klif_scale_reset" => spikingjelly::KlifScaleReset,
            "spikingjelly_glif" => spikingjelly::Glif,
            "spikingjelly_cuba" => spikingjelly::Cuba,
            "spikingjelly_liaf" => spikingjelly::Liaf,
            "spikingjelly_clif" => spikingjelly::Clif,
            "spikingjelly_raf" => spikingjelly::Raf,
            "spyx_lif" => spyx::Lif,
            "spyx_cuba" => spyx::Cuba,
            "spyx_alif" => spyx::Alif,
            "spyx_psu_lif" => spyx::PsuLif,
            "rockpool_lif" => rockpool::Lif,
            "lava_lif" => lava::Lif,
            "lava_lif_refractory" => lava::LifRefractory,
            "lava_slayer_cuba" => lava_dl::SlayerCuba,
            "bindsnet_lif" => bindsnet::Lif,
            "bindsnet_adaptive_lif" => bindsnet::AdaptiveLif,
            "bindsnet_current_lif" => bindsnet::CurrentLif,
            "bindsnet_izhikevich" => bindsnet::Izhikevich,
            "nengo_lif" => nengo::Lif,
            "nengo_adaptive_lif" => nengo::AdaptiveLif,
            "nengo_izhikevich" => nengo::Izhikevich,
            "brian2_lif_exact" => brian2::LifExact,
            "brian2_cuba_exact" => brian2::CubaExact,
            "brian2_adex_euler" => brian2::AdExEuler,
            "brian2_izhikevich_euler" => brian2::IzhikevichEuler,
            "brian2_coba_exponential_euler" => brian2::CobaExponentialEuler,
            "brian2_hh_exponential_euler" => brian2::HhExponentialEuler
        }
    };
}

macro_rules! table {
    ($($name:literal => $module:ident::$neuron:ident),+) => {
        /// All neurons of this crate, ordered by simulator.
        pub const DIALECTS: &[Dialect] =
            &[$(Dialect { name: $name, spec: <$crate::$module::$neuron as neuron_runtime::DeclaredNeuron>::SPEC }),+];
    };
}

with_dialects!(table);

/// Names that simulators give to what is called otherwise in every neuron here, because the language reserves or provides
/// it.
const SYNONYMS: &[(&str, &str)] = &[
    ("mem", "v"),
    ("v_mem", "v"),
    ("vmem", "v"),
    ("voltage", "v"),
    ("threshold", "v_threshold"),
    ("spike_threshold", "v_threshold"),
    ("thresh", "v_threshold"),
    ("v_th", "v_threshold"),
    ("vth", "v_threshold"),
    ("Vcut", "v_threshold"),
    ("reset", "v_reset"),
    ("reset_voltage", "v_reset"),
    ("Vr", "v_reset"),
    ("c", "v_reset"),
    ("h", "h_gate"),
];

/// `min_v_mem` of neurons without a lowest potential.
const NO_MINIMUM: f64 = -1e30;

impl Dialect {
    /// The dialect called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        DIALECTS.iter().find(|dialect| dialect.name == name)
    }

    /// What the declaration calls the simulator's state or parameter `name`: `mem` is `v` in all neurons of snnTorch.
    pub fn translate<'n>(&self, name: &'n str) -> &'n str {
        if self.has(name) {
            return name;
        }
        let synonym = SYNONYMS.iter().find(|(theirs, ours)| *theirs == name && self.has(ours));
        synonym.map_or(name, |(_, ours)| ours)
    }

    fn has(&self, name: &str) -> bool {
        let Spec { states, params, flags, .. } = self.spec;
        states.iter().any(|state| state.name == name)
            || params.iter().any(|param| param.name == name)
            || flags.iter().any(|flag| flag.name == name)
    }

    /// Gives `neuron`, which is of this dialect, the simulator's parameters. `None` is what it is there: no reset
    /// potential for a soft reset, no lower bound of the potential.
    ///
    /// Parameters of the surrogate, such as `k` of Spyx, are left to [`Dialect::surrogate`].
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ParameterType`]
    pub fn configure<'p>(
        &self,
        neuron: &mut dyn Neuron,
        params: impl IntoIterator<Item = (&'p str, Option<Value>)>,
    ) -> Result<(), Error> {
        for (name, value) in params {
            let name = self.translate(name);
            match (name, value) {
                (name, _) if self.surrogate_parameters().contains(&name) => {}
                (name, Some(value)) => neuron.set(name, value)?,
                ("v_reset", None) => {
                    neuron.set("v_reset", Value::Real(0.0))?;
                    match neuron.get("soft_reset") {
                        Some(_) => neuron.set("soft_reset", Value::Flag(true))?,
                        None => neuron.set_reset(Reset::Soft),
                    }
                }
                ("min_v_mem", None) => neuron.set("min_v_mem", Value::Real(NO_MINIMUM))?,
                // Refused when parameters are validated: no other parameter may be missing.
                (name, None) => neuron.set(name, Value::Real(f64::NAN))?,
            }
        }
        Ok(())
    }

    /// Parameters of the simulator's neuron that are its surrogate's.
    fn surrogate_parameters(&self) -> &'static [&'static str] {
        match self.name {
            "lava_slayer_cuba" => &["tau_rho", "scale_rho"],
            name if name.starts_with("spyx") => &["k"],
            _ => &[],
        }
    }

    /// The surrogate that the simulator uses with this neuron, made with the values that `param` has for its parameters.
    pub fn surrogate(&self, param: impl Fn(&str) -> Option<f64>) -> Surrogate {
        match self.name {
            "sinabs_iaf_multi" => sinabs::PeriodicExponential::default().into(),
            "lava_slayer_cuba" => {
                let default = lava_dl::Slayer::default();
                lava_dl::Slayer {
                    tau_rho: param("tau_rho").unwrap_or(default.tau_rho),
                    scale_rho: param("scale_rho").unwrap_or(default.scale_rho),
                }
                .into()
            }
            "spikingjelly_cuba" | "spikingjelly_clif" => Rect { alpha: 1.0 }.into(),
            name if name.starts_with("norse") => SuperSpike { alpha: 1.0 }.into(),
            name if name.starts_with("sinabs") => sinabs::SingleExponential::default().into(),
            name if name.starts_with("spikingjelly") => Surrogate::sigmoid(4.0),
            name if name.starts_with("spyx") => FastSigmoid { slope: param("k").unwrap_or(25.0) }.into(),
            // Of snnTorch; the others have no gradients.
            _ => Surrogate::atan(2.0),
        }
    }
}
