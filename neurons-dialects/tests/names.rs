//! The table: names of simulators, and their parameters.

use neuron_runtime::{DeclaredNeuron, Error, Neuron, Reset, Value};
use neurons_dialects::{DIALECTS, Dialect, lava, norse, sinabs, spikingjelly, spyx};

/// A neuron with the simulator's parameters.
fn configured<N: DeclaredNeuron>(params: &[(&str, Option<Value>)]) -> Result<N, Error> {
    let dialect = DIALECTS.iter().find(|dialect| dialect.spec == N::SPEC).unwrap();
    let mut neuron = N::default();
    dialect.configure(&mut neuron, params.iter().copied())?;
    Ok(neuron)
}

#[test]
fn the_table_has_every_simulators_neuron() {
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    // The neurons of `bellec` are a paper's, not a simulator's.
    let sources = sources.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("bellec.rs"));
    let sources = sources.map(|path| std::fs::read_to_string(path).unwrap());
    let declared: usize =
        sources.map(|source| source.lines().filter(|line| *line == "neuron! {").count()).sum();
    assert_eq!(DIALECTS.len(), declared);
    for dialect in DIALECTS {
        assert_eq!(Dialect::find(dialect.name).unwrap().spec, dialect.spec);
    }
    assert!(Dialect::find("lif").is_none());
}

#[test]
fn names_that_every_neuron_has_are_translated() {
    let translate = |dialect, name| Dialect::find(dialect).unwrap().translate(name);
    assert_eq!(translate("snntorch_leaky_zero", "mem"), "v");
    assert_eq!(translate("sinabs_alif", "spike_threshold"), "v_threshold");
    assert_eq!(translate("brian2_adex_euler", "Vr"), "v_reset");
    // Of two meanings of a name, the declaration has one.
    assert_eq!(translate("norse_izhikevich", "c"), "v_reset");
    assert_eq!(translate("spikingjelly_cuba", "c"), "c");
    assert_eq!(translate("norse_lif", "tau_mem_inv"), "tau_mem_inv");
}

#[test]
fn parameters_are_those_of_the_simulator() {
    let neuron = configured::<lava::Lif>(&[("vth", Some(Value::Real(2.0)))]).unwrap();
    assert_eq!(neuron.v_threshold, 2.0);
    let surrogate = Dialect::find("spyx_lif").unwrap().surrogate(|name| (name == "k").then_some(10.0));
    assert_eq!(surrogate.parameters().collect::<Vec<_>>(), [("slope", 10.0)]);
    assert!(configured::<spyx::Lif>(&[("k", Some(Value::Real(10.0)))]).is_ok());
}

#[test]
fn none_is_what_it_is_in_the_simulator() {
    let neuron = configured::<spikingjelly::Klif>(&[("v_reset", None)]).unwrap();
    assert_eq!((neuron.reset, neuron.v_reset), (Reset::Soft, 0.0));
    let neuron = configured::<spikingjelly::KlifScaleReset>(&[("v_reset", None)]).unwrap();
    assert!(neuron.soft_reset);
    let bounded = sinabs::IafMulti { min_v_mem: -1.0, ..sinabs::IafMulti::default() };
    let unbounded = sinabs::IafMulti::default();
    let minimum = |value| [("min_v_mem", value)];
    assert_eq!(configured::<sinabs::IafMulti>(&minimum(Some(Value::Real(-1.0)))).unwrap(), bounded);
    assert_eq!(configured::<sinabs::IafMulti>(&minimum(None)).unwrap(), unbounded);
}

#[test]
fn other_parameters_have_to_be_known_and_given() {
    let unknown = configured::<norse::Li>(&[("tau", Some(Value::Real(1.0)))]);
    assert!(matches!(unknown, Err(Error::UnknownParameter { name, .. }) if name == "tau"));
    let missing = configured::<norse::Li>(&[("v_leak", None)]).unwrap();
    assert!(matches!(missing.validate(), Err(Error::ParameterNotFinite { name: "v_leak", .. })));
    let wrong = configured::<sinabs::ExpLeak>(&[("norm_input", Some(Value::Real(1.0)))]);
    assert!(matches!(wrong, Err(Error::ParameterType { .. })));
}
