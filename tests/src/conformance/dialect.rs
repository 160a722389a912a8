//! Cases of other simulators' neurons: `tests/reference/dialects`.

use neurons_dialects::Dialect;

use super::case::{Case, Settings};
use super::file::{Metadata, Reference, Tensor, Tensors};
use super::malformed::Malformed;

/// By how much a float32 computation is off before anything amplifies it, relative to the largest state: a few roundings.
const SINGLE: f64 = 4.0 * f32::EPSILON as f64;

pub(super) fn case(metadata: &Metadata<'_>, tensors: Tensors) -> Result<Reference, Malformed> {
    let neuron = metadata.text("neuron")?.to_owned();
    let Some(dialect) = Dialect::find(&neuron) else { return Ok(Reference::Undeclared { neuron }) };
    let (steps, neurons) = (metadata.size("T")?, metadata.size("N")?);
    // On a grid every number is exact, whatever a change of it would lead to.
    let amplification = match metadata.text("amplification")? {
        "discontinuous" => 0.0,
        _ => metadata.parse("amplification", "a number or `discontinuous`")?,
    };
    let largest = largest_state(metadata.text("states")?, &tensors)?;
    let unresolved = match metadata.text("min_distance")? {
        "none" => None,
        _ => {
            let distance: f64 = metadata.parse("min_distance", "a number or `none`")?;
            let error = SINGLE * amplification * largest;
            (error > distance).then(|| {
                format!(
                    "float32 may be off by {error:.1e} where a potential is {distance:.1e} from the threshold"
                )
            })
        }
    };
    let tensors = tensors
        .into_iter()
        .map(|(name, tensor)| broadcast(translate(&name, dialect), tensor, steps, neurons))
        .collect::<Result<_, _>>()?;
    Ok(Reference::Case(Case {
        neuron,
        steps,
        neurons,
        settings: Settings::Dialect { dialect, params: metadata.params()? },
        amplification: Some(f64::max(amplification, 1.0)),
        unresolved,
        gives_spikes: metadata.text("output")? == "spike",
        tensors,
    }))
}

/// The largest magnitude of the states, listed by name.
fn largest_state(states: &str, tensors: &Tensors) -> Result<f64, Malformed> {
    let mut largest: f64 = 1.0;
    for state in states.split(',') {
        let tensor = format!("{state}_seq");
        let Some(Tensor { data, .. }) = tensors.get(&tensor) else {
            return Err(Malformed::MissingTensor { tensor });
        };
        largest = data.iter().fold(largest, |largest, value| largest.max(value.abs()));
    }
    Ok(largest)
}

/// The name of a tensor with the declaration's name of what it is about: `grad_mem_init` is `grad_v_init`.
fn translate(name: &str, dialect: &Dialect) -> String {
    let (prefix, rest) = match (name.strip_prefix("grad_"), name.strip_prefix("param_")) {
        (Some(rest), _) => ("grad_", rest),
        (_, Some(rest)) => ("param_", rest),
        _ => ("", name),
    };
    let suffix = ["_init", "_next", "_seq"].into_iter().find(|suffix| rest.ends_with(suffix)).unwrap_or("");
    let subject = dialect.translate(&rest[..rest.len() - suffix.len()]);
    // What leaves a neuron is called by what it is here.
    let subject = if ["spike", "output"].contains(&subject) { dialect.spec.output } else { subject };
    format!("{prefix}{subject}{suffix}")
}

/// A parameter with a value for each step, `param_conduct_seq [T]`, is an input here, `conduct_seq [T, N]`.
fn broadcast(
    name: String,
    tensor: Tensor,
    steps: usize,
    neurons: usize,
) -> Result<(String, Tensor), Malformed> {
    let Some(input) = name.strip_prefix("param_").filter(|rest| rest.ends_with("_seq")) else {
        return Ok((name, tensor));
    };
    if tensor.shape != [steps] {
        return Err(Malformed::Shape { tensor: name, expected: vec![steps], actual: tensor.shape });
    }
    let data = tensor.data.iter().flat_map(|value| std::iter::repeat_n(*value, neurons)).collect();
    Ok((input.to_owned(), Tensor { shape: vec![steps, neurons], data }))
}
