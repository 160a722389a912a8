//! Normalised neurons that keep their state.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{BatchNormConfig, ModuleT, VarBuilder, batch_norm};
use neurons_candle::{Gradient, Node};

use crate::common::{distance, random};
use crate::{NormLif, check, fused, get, lif, loss, norm_lif, variables};

const DIMS: [usize; 5] = [9, 4, 3, 2, 2];

fn node() -> (Node<NormLif>, candle_core::Var) {
    let variables = variables(3, DType::F64);
    let layer = fused(norm_lif(), &variables, 3, DType::F64, BatchNormConfig::default());
    (layer.into(), get(&variables, "running_mean"))
}

/// Each step has its own statistics, and the state goes on; so do gradients.
#[test]
fn steps_are_those_of_the_normalisation_before_the_neurons() {
    let x_seq = Var::from_tensor(&random(&DIMS, -1.0..2.0, 1)).unwrap();
    let (mut node, running) = node();
    let variables = variables(3, DType::F64);
    let vb = VarBuilder::from_varmap(&variables, DType::F64, &Device::Cpu);
    let norm = batch_norm(3, BatchNormConfig::default(), vb).unwrap();
    let mut plain = Node::new(lif(), Gradient::default()).unwrap();
    let steps = |run: &mut dyn FnMut(&Tensor) -> Tensor| {
        let steps: Vec<Tensor> = (0..DIMS[0]).map(|t| run(&x_seq.get(t).unwrap())).collect();
        Tensor::stack(&steps, 0).unwrap()
    };
    let output = steps(&mut |x| node.step(x).unwrap());
    let expected = steps(&mut |x| plain.step(&norm.forward_t(x, true).unwrap()).unwrap());
    assert_eq!(distance(&output, &expected), 0.0);
    assert!(expected.sum_all().unwrap().to_scalar::<f64>().unwrap() > 10.0);
    check("running mean", &running, norm.running_mean(), 1e-12);
    let (actual, expected) = (loss(&output).backward().unwrap(), loss(&expected).backward().unwrap());
    check("gradient", actual.get(&x_seq).unwrap(), expected.get(&x_seq).unwrap(), 1e-9);

    // In evaluation, the running ones are used and stay as they are; results are part of no graph.
    node.reset();
    plain.reset();
    node.eval();
    let before = running.to_vec1::<f64>().unwrap();
    let output = steps(&mut |x| node.step(x).unwrap());
    let expected = steps(&mut |x| plain.step(&norm.forward_t(x, false).unwrap()).unwrap());
    assert_eq!(distance(&output, &expected), 0.0);
    assert!(!output.track_op() && running.to_vec1::<f64>().unwrap() == before);
}

/// A sequence that is recorded is normalised as a whole, too.
#[test]
fn recorded_sequences_are_normalised_as_a_whole() {
    let x_seq = Var::from_tensor(&random(&DIMS, -1.0..2.0, 2)).unwrap();
    let ((mut node, running), (mut recording, also_running)) = (node(), node());
    let expected = node.multi_step(&x_seq).unwrap();
    let (output, records) = recording.multi_step_recorded(&[&x_seq], &["v"]).unwrap();
    assert_eq!(distance(&output, &expected), 0.0);
    assert_eq!(distance(&running, &also_running), 0.0);
    let last = records[0].get(DIMS[0] - 1).unwrap();
    assert_eq!(distance(&last, &node.states().unwrap()[0]), 0.0);
    let (actual, expected) = (loss(&output).backward().unwrap(), loss(&expected).backward().unwrap());
    check("gradient", actual.get(&x_seq).unwrap(), expected.get(&x_seq).unwrap(), 1e-11);
}

/// Neither the state nor the running statistics change.
#[test]
fn nothing_changes_after_an_error() {
    let (mut node, running) = node();
    node.step(&random(&[4, 3, 2], -1.0..2.0, 3)).unwrap();
    let (v, before) = (node.states().unwrap()[0].clone(), running.to_vec1::<f64>().unwrap());
    let other_shape = random(&[5, 3, 2], -1.0..2.0, 4);
    assert!(node.step(&other_shape).is_err());
    assert!(node.multi_step_recorded(&[&other_shape.unsqueeze(0).unwrap()], &["v"]).is_err());
    assert_eq!(distance(&node.states().unwrap()[0], &v), 0.0);
    assert_eq!(running.to_vec1::<f64>().unwrap(), before);
}
