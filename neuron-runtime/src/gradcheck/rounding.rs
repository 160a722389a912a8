//! How much rounding of the states between steps changes the loss.
//!
//! Samples at equal distances show rounding as noise, but not always: moving a variable may change nothing at all before a
//! sum is rounded, or the rounding may be in step with the samples. So it is also measured directly.

use super::point::{NEURONS, Point};
use super::relaxed::Relaxed;
use crate::{Error, Neuron, Surrogate};

/// The largest change of each neuron's loss when one state before one step is moved by an epsilon of the largest value that
/// this state has had: a state close to 0 is as inexact as what it is the difference of.
pub fn of_states<N: Neuron + Clone>(point: &Point<N>, surrogate: Surrogate) -> Result<[f64; NEURONS], Error> {
    let mut rounding = [0.0f64; NEURONS];
    let mut rest = point.clone();
    let mut largest = vec![[0.0f64; NEURONS]; point.states.len()];
    while rest.steps() > 0 {
        let mut relaxed = Relaxed::new(rest.clone(), surrogate)?;
        for (place, largest) in largest.iter_mut().enumerate() {
            let states = &rest.states[place];
            largest.iter_mut().zip(states).for_each(|(most, state)| *most = most.max(state.abs()));
            // A state that is exact may be where the neuron jumps, which one side only shows: the smaller change counts.
            let mut smaller = [f64::INFINITY; NEURONS];
            for epsilon in [-f64::EPSILON, f64::EPSILON] {
                let moved = states.iter().zip(&*largest).map(|(state, most)| state + epsilon * most);
                relaxed.point.states[place] = moved.collect();
                let losses = relaxed.losses(&relaxed.forward()?, 0);
                smaller
                    .iter_mut()
                    .zip(losses)
                    .for_each(|(least, (change, _))| *least = least.min(change.abs()));
            }
            rounding.iter_mut().zip(smaller).for_each(|(most, change)| *most = most.max(change));
            relaxed.point.states[place].clone_from(states);
        }
        let (first, after) = rest.split_first();
        let states = Relaxed::new(first, surrogate)?.final_states().to_vec();
        rest = Point { states, ..after };
    }
    Ok(rounding)
}
