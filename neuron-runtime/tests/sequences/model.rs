//! What calls have to do, as far as shapes and ranges say.

use neuron_runtime::{DeclaredNeuron, Error, Layout};

/// What is wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Arity,
    Shape,
    Empty,
    Range,
    Surrogate,
    NoSuchParameter,
    NoSuchState,
    NoContext,
    NoTemplate,
}

impl Fault {
    /// What an error says is wrong.
    pub fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Arity { .. } => Self::Arity,
            Error::Shape { .. } | Error::ParameterLayout { .. } => Self::Shape,
            Error::Empty { .. } => Self::Empty,
            Error::ParameterRange { .. }
            | Error::ParameterNotFinite { .. }
            | Error::ParameterRounded { .. }
            | Error::ParameterTooLarge { .. } => Self::Range,
            Error::SurrogateParameter { .. } | Error::SurrogateParameterNotFinite { .. } => Self::Surrogate,
            Error::UnknownParameter { .. } | Error::ScalarParameter { .. } => Self::NoSuchParameter,
            Error::UnknownState { .. } => Self::NoSuchState,
            Error::NoContext { .. } | Error::PassDropped { .. } => Self::NoContext,
            Error::NoTemplate { .. } => Self::NoTemplate,
            _ => return None,
        })
    }
}

/// Checks that a call failed exactly if something is wrong with it, and says what.
pub fn agrees<T>(result: &Result<T, Error>, faults: &[Fault]) -> Result<(), String> {
    match result {
        Ok(_) if faults.is_empty() => Ok(()),
        Err(error) if Fault::of(error).is_some_and(|fault| faults.contains(&fault)) => Ok(()),
        Ok(_) => Err(format!("accepted in spite of {faults:?}")),
        Err(error) => Err(format!("`{error}` where {faults:?} was expected")),
    }
}

/// What is wrong with the shapes of a forward pass, and the shape of its states.
pub fn shape_faults<N: DeclaredNeuron>(
    is_sequence: bool,
    dims: Option<&[usize]>,
    inputs: &[Vec<usize>],
    parameters: &[Vec<usize>],
) -> (Vec<Fault>, Vec<usize>) {
    let mut faults = Vec::new();
    let mut wrong = |is_wrong: bool, fault: Fault| {
        if is_wrong {
            faults.push(fault);
        }
    };
    wrong(inputs.len() != N::SPEC.inputs.len(), Fault::Arity);
    let own = |input: &Vec<usize>| {
        if is_sequence { input.get(1..).map(<[usize]>::to_vec) } else { Some(input.clone()) }
    };
    let first = inputs.first().and_then(own);
    let dims = dims.map(<[usize]>::to_vec).or(first).unwrap_or_default();
    for input in inputs {
        wrong(own(input).as_ref() != Some(&dims) || *input != inputs[0], Fault::Shape);
        wrong(input.contains(&0), Fault::Empty);
    }
    for parameter in parameters {
        wrong(Layout::broadcast(parameter, &dims).is_none(), Fault::Shape);
    }
    (faults, dims)
}
