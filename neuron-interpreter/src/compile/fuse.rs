//! Several computations in one instruction, where each is the only one that needs the one before: an instruction takes a
//! pass over the lanes, most of which is loads and stores.

use super::lanes::{Computation, Lanes, Operand};
use crate::code::Op;

/// Fuses computations and drops those that nothing needs.
pub fn fuse(lanes: Lanes) -> Lanes {
    let Lanes { mut computations, mut writes } = lanes;
    let mut uses = uses(&computations, &writes);
    for index in 0..computations.len() {
        if uses[index] == 0 {
            continue;
        }
        while let Some((place, before, op)) = fusible(&computations, index, &uses) {
            let mut operands = computations[before].operands.clone();
            let others = computations[index].operands.iter().enumerate();
            operands.extend(others.filter(|(other, _)| *other != place).map(|(_, operand)| *operand));
            uses[before] = 0;
            computations[index] = Computation { op, operands };
        }
    }
    // What was fused into another or is not needed leaves; the places of the others change.
    let mut places = vec![0; computations.len()];
    let mut kept = Vec::new();
    for (index, mut computation) in computations.into_iter().enumerate().filter(|(index, _)| uses[*index] > 0)
    {
        computation.operands.iter_mut().for_each(|operand| moved(operand, &places));
        places[index] = kept.len();
        kept.push(computation);
    }
    writes.iter_mut().for_each(|(_, operand)| moved(operand, &places));
    Lanes { computations: kept, writes }
}

/// An operand of a computation that is needed there only, by its place and that of its computation, and the operation of
/// both.
fn fusible(computations: &[Computation], index: usize, uses: &[usize]) -> Option<(usize, usize, Op)> {
    let Computation { op, operands } = &computations[index];
    operands.iter().enumerate().find_map(|(place, operand)| match *operand {
        Operand::Result(before) if uses[before] == 1 => {
            Some((place, before, computations[before].op.fused(*op, place)?))
        }
        _ => None,
    })
}

fn moved(operand: &mut Operand, places: &[usize]) {
    if let Operand::Result(place) = operand {
        *place = places[*place];
    }
}

/// How often each result is used by what is needed itself.
fn uses(computations: &[Computation], writes: &[(neuron_codegen::kernel::SlotId, Operand)]) -> Vec<usize> {
    let mut uses = vec![0; computations.len()];
    let count = |operand: &Operand, uses: &mut Vec<usize>| {
        if let Operand::Result(place) = operand {
            uses[*place] += 1;
        }
    };
    writes.iter().for_each(|(_, operand)| count(operand, &mut uses));
    for (index, computation) in computations.iter().enumerate().rev() {
        if uses[index] > 0 {
            computation.operands.iter().for_each(|operand| count(operand, &mut uses));
        }
    }
    uses
}
