//! Parameters that differ between neurons: against the runtime's own operations, bit for bit, and against finite
//! differences; as variables; and what is refused.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Optimizer, SGD, VarBuilder, VarMap};
use common::{Normalised, distance, random};
use neuron_runtime::{Array, Error as NeuronError, MultiStep as Operation, MultiStepNode, neuron};
use neurons_candle::{
    Error, Gradient, MultiStep, Node, initial_state_with, multi_step, multi_step_with, step_with,
};

neuron! {
    /// No spikes, so that finite differences are exact up to rounding.
    pub struct Graded {
        learnable v_reset = 0.5;
        learnable w = 0.3;
        array leak = 0.5;
        state a = w * v_reset;
        charge = leak * v + x + a;
        update a = 0.9 * a;
        output = h * h;
    }
}

const OWN: [(&str, f64); 5] =
    [("scale", 1.0), ("shift", 0.25), ("gain", 1.0), ("v_threshold", 1.0), ("v_reset", 0.0)];

fn near(own: f64, seed: u64, shape: &[usize]) -> Tensor {
    random(shape, own - 0.3..own + 0.3, seed)
}

fn array(tensor: &Tensor) -> Array<f64> {
    Array::from_vec(tensor.dims(), tensor.flatten_all().unwrap().to_vec1().unwrap()).unwrap()
}

fn variables() -> (VarMap, VarBuilder<'static>) {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, DType::F64, &Device::Cpu);
    (variables, vb)
}

/// The gradient of the sum of each tensor times its weights are these weights.
fn weighed(outputs: &[(&Tensor, &Tensor)]) -> Tensor {
    let terms: Vec<_> = outputs.iter().map(|(x, w)| (*x * *w).unwrap().sum_all().unwrap()).collect();
    Tensor::stack(&terms, 0).unwrap().sum_all().unwrap()
}

#[test]
fn parameters_of_every_shape_are_the_runtimes() {
    let (dims, shapes): (_, [&[usize]; 5]) = ([4, 3, 7], [&[], &[3, 1], &[3, 7], &[4, 3, 7], &[7]]);
    let x_seq = Var::from_tensor(&near(1.0, 1, &[5, 4, 3, 7])).unwrap();
    let v = Var::from_tensor(&near(0.0, 2, &dims)).unwrap();
    let parameters: Vec<Var> =
        (0..5).map(|i| Var::from_tensor(&near(OWN[i].1, 20 + i as u64, shapes[i])).unwrap()).collect();
    let given: Vec<Tensor> = parameters.iter().map(|var| var.as_tensor().clone()).collect();
    let (grad_spike, grad_v) = (random(&[5, 4, 3, 7], -1.0..1.0, 3), random(&dims, -1.0..1.0, 4));
    let (neuron, gradient) = (Normalised::default(), Gradient::default());

    let operation = Operation::new(neuron.clone(), gradient);
    let arrays: Vec<Array<f64>> = given.iter().map(array).collect();
    let arrays: Vec<&Array<f64>> = arrays.iter().collect();
    let (stepped, context) = operation.forward_with(&[&array(&x_seq)], &[&array(&v)], &arrays).unwrap();
    let expected = context.backward_all(&array(&grad_spike), &[&array(&grad_v)]).unwrap();

    let states = [v.as_tensor().clone()];
    let (spikes, next) = multi_step_with(&neuron, gradient, &[&x_seq], &states, &given).unwrap();
    assert_eq!((array(&spikes), array(&next[0])), (stepped.spike, stepped.states[0].clone()));
    let grads = weighed(&[(&spikes, &grad_spike), (&next[0], &grad_v)]).backward().unwrap();
    assert_eq!(array(grads.get(&x_seq).unwrap()), expected.inputs[0]);
    assert_eq!(array(grads.get(&v).unwrap()), expected.states[0]);
    let mut learned = expected.parameters.iter();
    for (variable, (name, _)) in parameters.iter().zip(OWN) {
        match name {
            // It has no gradient.
            "gain" => assert!(grads.get(variable).is_none()),
            _ => assert_eq!(array(grads.get(variable).unwrap()), *learned.next().unwrap(), "{name}"),
        }
    }

    // A layer gives the same.
    let mut layer = MultiStep::new(neuron, gradient).unwrap();
    for (values, (name, _)) in given.iter().zip(OWN) {
        layer = layer.with_parameter(name, values.clone()).unwrap();
    }
    let (from_layer, _) = layer.forward_from(&x_seq, Some(&states)).unwrap();
    assert_eq!(array(&from_layer), array(&spikes));
}

/// From the initial states, which depend on a parameter; a sequence at once or in single steps.
#[test]
fn gradients_reach_parameters_through_initial_states() {
    let (neuron, gradient) = (Normalised::default(), Gradient::default());
    let x_seq = near(1.0, 1, &[6, 2, 3]);
    let grad_spike = random(&[6, 2, 3], -1.0..1.0, 3);
    let values: Vec<(&str, Var)> = [("scale", 0), ("shift", 1), ("v_threshold", 3), ("v_reset", 4)]
        .map(|(name, i)| (name, Var::from_tensor(&near(OWN[i].1, 30 + i as u64, &[3])).unwrap()))
        .to_vec();

    let mut runtime = MultiStepNode::<Normalised, f64>::with_gradient(neuron.clone(), gradient);
    let mut node = Node::new(neuron, gradient).unwrap();
    for (name, variable) in &values {
        runtime.set_parameter(name, array(variable)).unwrap();
        node = node.with_parameter(name, variable.as_tensor().clone()).unwrap();
    }
    let spikes = runtime.forward(&array(&x_seq)).unwrap();
    runtime.backward(&array(&grad_spike)).unwrap();

    let whole = node.multi_step(&x_seq).unwrap();
    node.reset();
    let steps: Vec<_> = (0..6).map(|t| node.step(&x_seq.get(t).unwrap()).unwrap()).collect();
    for output in [whole, Tensor::stack(&steps, 0).unwrap()] {
        assert_eq!(array(&output), spikes);
        let grads = weighed(&[(&output, &grad_spike)]).backward().unwrap();
        for (name, variable) in &values {
            let expected = runtime.parameter_grad(name).unwrap().unwrap().to_vec().unwrap();
            let actual: Vec<f64> = grads.get(variable).unwrap().to_vec1().unwrap();
            for (actual, expected) in actual.iter().zip(&expected) {
                assert!(*expected != 0.0 && (actual - expected).abs() < 1e-12, "{name}: {actual} {expected}");
            }
        }
    }
}

#[test]
fn gradients_are_finite_differences() {
    let x_seq = random(&[4, 2, 3], -1.0..1.0, 5);
    let (v_reset, w, leak) = (near(0.5, 6, &[3]), near(0.3, 7, &[2, 1]), near(0.5, 8, &[2, 3]));
    let loss = |v_reset: &Tensor, w: &Tensor| {
        let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
        let layer = layer.with_parameter("leak", leak.clone()).unwrap();
        let layer = layer.with_parameter("v_reset", v_reset.clone()).unwrap();
        let layer = layer.with_parameter("w", w.clone()).unwrap();
        layer.forward(&x_seq).unwrap().sum_all().unwrap()
    };
    let variables = [Var::from_tensor(&v_reset).unwrap(), Var::from_tensor(&w).unwrap()];
    let grads = loss(&variables[0], &variables[1]).backward().unwrap();
    let value = |v_reset: &Tensor, w: &Tensor| loss(v_reset, w).to_scalar::<f64>().unwrap();
    let moved = |tensor: &Tensor, i: usize, by: f64| {
        let mut values: Vec<f64> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        values[i] += by;
        Tensor::from_vec(values, tensor.shape(), &Device::Cpu).unwrap()
    };
    for (k, variable) in variables.iter().enumerate() {
        let grad: Vec<f64> = grads.get(variable).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        for (i, grad) in grad.into_iter().enumerate() {
            let value = |by: f64| match k {
                0 => value(&moved(&v_reset, i, by), &w),
                _ => value(&v_reset, &moved(&w, i, by)),
            };
            let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((grad - numeric).abs() < 1e-7, "{k}, {i}: {grad} {numeric}");
        }
    }
}

#[test]
fn learned_parameters_are_variables() {
    let (variables, vb) = variables();
    let neuron = Normalised { shift: 0.5, ..Normalised::default() };
    let layer = MultiStep::new(neuron.clone(), Gradient::default()).unwrap();
    let own = near(0.0, 9, &[]);
    let layer = layer.with_parameter("v_reset", own).unwrap().learn((3, 1), vb.pp("hidden")).unwrap();
    let names = ["hidden.scale", "hidden.shift", "hidden.v_threshold"];
    let all = variables.data().lock().unwrap().clone();
    // Not those that are given, and not `gain`, which is not learned.
    assert_eq!(all.len(), 3);
    for (name, value) in names.into_iter().zip([1.0, 0.5, 1.0]) {
        assert_eq!(all[name].dims(), [3, 1]);
        assert_eq!(all[name].flatten_all().unwrap().to_vec1::<f64>().unwrap(), [value; 3]);
    }
    assert_eq!(layer.parameter("scale").unwrap().id(), all["hidden.scale"].id());
    assert!(layer.parameter("gain").is_none() && layer.parameter("tau").is_none());

    // An optimiser moves them, and the layer follows.
    let x_seq = near(1.0, 1, &[6, 3, 4]);
    let before = layer.forward(&x_seq).unwrap();
    let mut optimizer = SGD::new(variables.all_vars(), 1.0).unwrap();
    let loss = (before.sum_all().unwrap() * -1.0).unwrap();
    optimizer.backward_step(&loss).unwrap();
    let after = layer.forward(&x_seq).unwrap();
    let count = |x: &Tensor| x.sum_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(count(&after) > count(&before), "{} to {}", count(&before), count(&after));

    // The same variables again: the layer as it has become.
    let again = MultiStep::new(neuron, Gradient::default()).unwrap();
    let again = again.with_parameter("v_reset", layer.parameter("v_reset").unwrap().clone()).unwrap();
    let again = again.learn((3, 1), vb.pp("hidden")).unwrap();
    assert_eq!(distance(&again.forward(&x_seq).unwrap(), &after), 0.0);
    let wrong = Node::new(Normalised::default(), Gradient::default()).unwrap().learn((), vb.pp("hidden"));
    assert!(matches!(wrong, Err(Error::Candle(_))));
}

#[test]
fn formats_follow_the_data() {
    let (x_seq, scale) = (near(1.0, 1, &[6, 3]), near(1.0, 2, &[3]));
    for (dtype, tolerance) in [(DType::F32, 1e-5), (DType::F16, 2e-2), (DType::BF16, 2e-1)] {
        // Multiples of 1/8, which all formats hold.
        let round = |x: &Tensor| ((x * 8.0).unwrap().round().unwrap() / 8.0).unwrap();
        let run = |data: DType| {
            let scale = Var::from_tensor(&round(&scale).to_dtype(data).unwrap()).unwrap();
            let layer = MultiStep::new(Graded::default(), Gradient::default()).unwrap();
            let layer = layer.with_parameter("w", scale.as_tensor().clone()).unwrap();
            let output = layer.forward(&round(&x_seq).to_dtype(data).unwrap()).unwrap();
            assert_eq!(output.dtype(), data);
            let sum = output.to_dtype(DType::F64).unwrap().sum_all().unwrap();
            let grads = sum.backward().unwrap();
            let grad = grads.get(&scale).unwrap();
            assert_eq!(grad.dtype(), data);
            (output, grad.clone())
        };
        let (output, grad) = run(dtype);
        let (exact_output, exact_grad) = run(DType::F64);
        let scale = exact_grad.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(distance(&output, &exact_output) < tolerance * 8.0, "{dtype:?}");
        assert!(distance(&grad, &exact_grad) < tolerance * scale, "{dtype:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let layer = || MultiStep::new(Normalised::default(), Gradient::default()).unwrap();
    let refused = |name: &str, values: Tensor| layer().with_parameter(name, values).unwrap_err();
    let one = Tensor::new(1.0f64, &Device::Cpu).unwrap();
    let neuron = |error: Error| match error {
        Error::Neuron(error) => error,
        other => panic!("{other}"),
    };
    assert!(matches!(neuron(refused("scala", one.clone())), NeuronError::UnknownParameter { .. }));
    assert!(matches!(neuron(refused("tau", one.clone())), NeuronError::ScalarParameter { .. }));
    let range = neuron(refused("gain", Tensor::new(&[1.0f64, -1.0], &Device::Cpu).unwrap()));
    assert!(matches!(range, NeuronError::ParameterRange { name: "gain", value: -1.0, .. }), "{range}");
    let integer = refused("gain", one.to_dtype(DType::U32).unwrap());
    assert!(matches!(integer, Error::UnsupportedDType { actual: DType::U32, .. }), "{integer}");

    let x_seq = near(1.0, 1, &[2, 4, 3]);
    let shape = layer().with_parameter("gain", Tensor::ones(4, DType::F64, &Device::Cpu).unwrap());
    let shape = neuron(shape.unwrap().forward(&x_seq).unwrap_err());
    assert_eq!(
        shape.to_string(),
        "Normalised: expected shape broadcastable to [4, 3] (repeating outer and inner dimensions only) for `gain`, \
         found [4]"
    );

    // An optimiser may have led a value out of its range.
    let gain = Var::from_tensor(&one).unwrap();
    let moving = layer().with_parameter("gain", gain.as_tensor().clone()).unwrap();
    gain.set(&one.neg().unwrap()).unwrap();
    assert!(matches!(neuron(moving.forward(&x_seq).unwrap_err()), NeuronError::ParameterRange { .. }));

    let (normalised, gradient) = (Normalised::default(), Gradient::default());
    let (x, v) = (x_seq.get(0).unwrap(), [x_seq.get(1).unwrap()]);
    let count = step_with(&normalised, gradient, &[&x], &v, &[]).unwrap_err();
    assert_eq!(
        count.to_string(),
        "Normalised: wrong number of parameters: expected 5 (scale, shift, gain, v_threshold, v_reset), found 0"
    );
    let single = vec![one.to_dtype(DType::F32).unwrap(); 5];
    let format = step_with(&normalised, gradient, &[&x], &v, &single).unwrap_err();
    assert_eq!(format.to_string(), "expected f64 for `scale`, found f32");
    assert!(matches!(initial_state_with(&normalised, &x, &single), Err(Error::DType { .. })));
    assert!(matches!(layer().forward_all(&[], None), Err(Error::Count { what: "inputs", .. })));
}

#[test]
fn without_parameters_a_neuron_has_its_own() {
    let neuron = Normalised { scale: 1.5, v_threshold: 0.75, v_reset: -0.25, ..Normalised::default() };
    let gradient = Gradient::default();
    let x_seq = near(1.0, 1, &[5, 4]);
    let own = [1.5, 0.25, 1.0, 0.75, -0.25].map(|value: f64| Tensor::new(value, &Device::Cpu).unwrap());
    let states = initial_state_with(&neuron, &x_seq.get(0).unwrap(), &own).unwrap();
    assert_eq!(states[0].to_vec1::<f64>().unwrap(), [-0.25; 4]);
    let (expected, _) = multi_step_with(&neuron, gradient, &[&x_seq], &states, &own).unwrap();
    let (spikes, _) = multi_step(&neuron, gradient, &[&x_seq], &states).unwrap();
    assert_eq!(array(&spikes), array(&expected));
    let layer = MultiStep::new(neuron, gradient).unwrap();
    assert_eq!(array(&layer.forward(&x_seq).unwrap()), array(&expected));
}
