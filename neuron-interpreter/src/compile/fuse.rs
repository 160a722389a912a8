//! Two computations in one instruction, where the second is the only one that needs the first: an instruction takes a
//! pass over a tile's lanes, most of which is loads and stores.

use super::lanes::{Computation, Lanes, Operand};

/// Fuses computations and drops those that nothing needs.
pub fn fuse(lanes: Lanes) -> Lanes {
    let Lanes { mut computations, mut writes } = lanes;
    let mut uses = uses(&computations, &writes);
    for index in 0..computations.len() {
        if uses[index] == 0 {
            continue;
        }
        let Computation { op, ref operands } = computations[index];
        for place in 0..operands.len().min(2) {
            let Operand::Result(before) = operands[place] else { continue };
            let first = &computations[before];
            let Some(fused) = first.op.fused(op, place == 0).filter(|_| uses[before] == 1) else { continue };
            let mut all = first.operands.clone();
            all.extend(operands.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, operand)| *operand));
            uses[before] = 0;
            computations[index] = Computation { op: fused, operands: all };
            break;
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
