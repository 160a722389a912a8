//! Parameters that differ between neurons, and learn.

use neuron_runtime::{
    Array, DeclaredNeuron, Error, Gradient, MultiStep, MultiStepNode, Node, OutOfRange, neuron,
};

neuron! {
    /// A normalisation before the neuron, with a value a channel, and a learnable threshold and reset potential.
    pub struct Normalised {
        learnable scale = 1.0;
        learnable shift = 0.0;
        array gain = 1.0 where gain > 0.0;
        param tau = 2.0 where tau > 1.0;
        learnable v_threshold = 1.0;
        learnable v_reset = 0.0;
        let y = scale * x + shift;
        charge = v + (gain * y - (v - v_reset)) / tau;
        reset hard | soft;
    }
}

const NAMES: [&str; 5] = ["scale", "shift", "gain", "v_threshold", "v_reset"];

/// Numbers in -1..1, the same in every run.
fn numbers(seed: u64, shape: &[usize]) -> Array<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    };
    Array::from_vec(shape, (0..shape.iter().product()).map(next).collect()).unwrap()
}

/// A parameter of the given shape around the neuron's own value.
fn near(own: f64, seed: u64, shape: &[usize]) -> Array<f64> {
    let values = numbers(seed, shape).into_vec().unwrap();
    Array::from_vec(shape, values.into_iter().map(|value| own + 0.3 * value).collect()).unwrap()
}

fn sums(values: &[f64], count: usize, inner: usize) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    for (n, value) in values.iter().enumerate() {
        sums[n / inner % count] += value;
    }
    sums
}

/// `[B, C, H]` with parameters of every shape gives what the same with a value for every neuron gives, and
/// gradients are the sums of those.
#[test]
fn every_shape_is_that_of_its_neurons() {
    let (t, dims) = (5, [4, 3, 7]);
    let shapes: [&[usize]; 5] = [&[], &[3, 1], &[3, 7], &[4, 3, 7], &[7]];
    let layouts = [(1, 1), (3, 7), (21, 1), (84, 1), (7, 1)];
    let own = [1.0, 0.0, 1.0, 1.0, 0.0];
    let parameters: Vec<Array<f64>> = (0..5).map(|i| near(own[i], 20 + i as u64, shapes[i])).collect();
    let each: Vec<Array<f64>> = (parameters.iter().zip(layouts))
        .map(|(array, (count, inner))| {
            let values = array.as_slice().unwrap();
            Array::from_vec(dims, (0..84).map(|n| values[n / inner % count]).collect()).unwrap()
        })
        .collect();
    let (x_seq, v) = (near(1.0, 1, &[t, 4, 3, 7]), numbers(2, &dims));
    let (grad_spike, grad_v) = (numbers(3, &[t, 4, 3, 7]), numbers(4, &dims));
    let operation = MultiStep::new(Normalised::default(), Gradient::default());
    let run = |parameters: &[Array<f64>]| {
        let parameters: Vec<&Array<f64>> = parameters.iter().collect();
        let (stepped, context) = operation.forward_with(&[&x_seq], &[&v], &parameters).unwrap();
        assert_eq!(operation.inference_with(&[&x_seq], &[&v], &parameters).unwrap(), stepped);
        (stepped, context.backward_all(&grad_spike, &[&grad_v]).unwrap())
    };
    let (stepped, grads) = run(&parameters);
    let (stepped_each, grads_each) = run(&each);
    assert_eq!(stepped, stepped_each);
    assert_eq!((&grads.inputs, &grads.states), (&grads_each.inputs, &grads_each.states));
    // All but `gain`, which is not learned.
    let learned = [0, 1, 3, 4];
    for ((grad, each), i) in grads.parameters.iter().zip(&grads_each.parameters).zip(learned) {
        assert_eq!(grad.shape(), shapes[i]);
        let (count, inner) = layouts[i];
        let expected = sums(each.as_slice().unwrap(), count, inner);
        for (actual, expected) in grad.as_slice().unwrap().iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-12 * expected.abs().max(1.0), "{}", NAMES[i]);
        }
    }
}

/// Passes of a node add up until they are forgotten.
#[test]
fn a_node_adds_up_its_gradients() {
    let mut node = Node::<Normalised, f64>::default();
    node.keep_passes(3);
    node.set_parameter("v_reset", near(0.0, 7, &[3])).unwrap();
    let pass = |node: &mut Node<Normalised, f64>| {
        node.reset();
        (0..3).for_each(|t| drop(node.forward(&numbers(50 + t, &[2, 3])).unwrap()));
        (0..3).for_each(|_| drop(node.backward(&numbers(9, &[2, 3])).unwrap()));
        node.parameter_grad("v_reset").unwrap().unwrap()
    };
    let once = pass(&mut node);
    assert_eq!(once.shape(), [3]);
    let twice = pass(&mut node);
    for (once, twice) in once.as_slice().unwrap().iter().zip(twice.as_slice().unwrap()) {
        assert!(*once != 0.0 && (twice - 2.0 * once).abs() < 1e-12);
    }
    node.zero_grad();
    assert_eq!(node.parameter_grad("v_reset").unwrap(), None);
}

neuron! {
    /// No spikes, so that finite differences are exact up to rounding.
    pub struct Linear {
        learnable v_reset = 0.5;
        learnable w = 0.3;
        state a = w * v_reset;
        charge = 0.5 * v + x + a;
        update a = 0.9 * a;
        output = h * h;
    }
}

/// Through the initial states too.
#[test]
fn gradients_of_initial_states() {
    let x_seq = numbers(5, &[4, 2, 3]);
    let (v_reset, w) = (near(0.5, 6, &[3]), near(0.3, 7, &[2, 1]));
    let loss = |v_reset: &Array<f64>, w: &Array<f64>| {
        let mut node = MultiStepNode::<Linear, f64>::default();
        node.set_parameter("v_reset", v_reset.clone()).unwrap();
        node.set_parameter("w", w.clone()).unwrap();
        let output = node.forward(&x_seq).unwrap();
        let loss: f64 = output.as_slice().unwrap().iter().sum();
        node.backward(&Array::full([4, 2, 3], 1.0)).unwrap();
        (loss, node)
    };
    let (_, node) = loss(&v_reset, &w);
    let check = |name: &str, moved: &dyn Fn(usize, f64) -> f64| {
        let grad = node.parameter_grad(name).unwrap().unwrap();
        for (i, grad) in grad.as_slice().unwrap().iter().enumerate() {
            let numeric = (moved(i, 1e-5) - moved(i, -1e-5)) / 2e-5;
            assert!((grad - numeric).abs() < 1e-7, "{name}[{i}]: {grad} {numeric}");
        }
    };
    let add = |array: &Array<f64>, i: usize, by: f64| {
        let mut array = array.clone();
        array.as_mut_slice().unwrap()[i] += by;
        array
    };
    check("v_reset", &|i, by| loss(&add(&v_reset, i, by), &w).0);
    check("w", &|i, by| loss(&v_reset, &add(&w, i, by)).0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut node = MultiStepNode::<Normalised, f64>::default();
    let scalar = node.set_parameter("tau", Array::zeros([])).unwrap_err();
    assert_eq!(
        scalar.to_string(),
        "Normalised: parameter `tau` is a scalar, the same for all neurons; parameters that can be arrays: `scale`, `shift`, `gain`, `v_threshold`, `v_reset`"
    );
    let unknown = node.set_parameter("scala", Array::zeros([])).unwrap_err();
    assert!(matches!(unknown, Error::UnknownParameter { .. }), "{unknown}");
    let range = node.set_parameter("gain", Array::from_vec([2], vec![1.0, -1.0]).unwrap()).unwrap_err();
    assert!(matches!(range, Error::ParameterRange { name: "gain", value: -1.0, .. }), "{range}");
    let empty = node.set_parameter("gain", Array::zeros([0])).unwrap_err();
    assert!(matches!(empty, Error::ParameterNotFinite { name: "gain", .. }), "{empty}");
    node.set_parameter("scale", Array::full([4, 1, 2], 1.0)).unwrap();
    let shape = node.forward(&Array::zeros([2, 4, 3, 2])).unwrap_err();
    assert_eq!(
        shape.to_string(),
        "Normalised: expected shape broadcastable to [4, 3, 2] (repeating outer and inner dimensions only) for \
         `scale`, found [4, 1, 2]"
    );
    assert!(node.states().is_none());
    assert_eq!(Normalised::SPEC.arrays().map(|param| param.name).collect::<Vec<_>>(), NAMES);
}

neuron! {
    /// Ranges of all kinds.
    pub struct Ranged {
        learnable tau = 2.0 where tau > 1.0;
        learnable low = 0.25 where low >= 0.0, low < high;
        array high = 0.75 where high <= 1.0;
        charge = v + (x - low * v) / tau + high;
        reset hard;
    }
}

/// Values out of range become the closest ones in it.
#[test]
fn values_are_clamped_on_request() {
    let mut node = Node::<Ranged, f32>::default();
    let moved = |node: &mut Node<Ranged>, name: &str, values: Vec<f32>| {
        node.set_parameter(name, Array::from_vec([values.len()], values).unwrap())?;
        Ok::<_, Error>(node.parameter(name).unwrap().to_vec().unwrap())
    };
    let above_one = 1.0 + f32::EPSILON;
    let tau = vec![0.9, 3.0, -1e30, f32::INFINITY, f32::NEG_INFINITY, 1.0];
    let refused = moved(&mut node, "tau", tau.clone());
    assert!(matches!(refused, Err(Error::ParameterRange { name: "tau", .. })), "{refused:?}");
    node.set_out_of_range(OutOfRange::Clamp);
    let expected = [above_one, 3.0, above_one, f32::MAX, above_one, above_one];
    assert_eq!(moved(&mut node, "tau", tau), Ok(expected.to_vec()));
    let below = |value: f32| f32::from_bits(value.to_bits() - 1);
    let low = vec![-0.5, 0.5, 0.75, 2.0];
    assert_eq!(moved(&mut node, "low", low), Ok(vec![0.0, 0.5, below(0.75), below(0.75)]));
    // Now of each with the other of the same index.
    assert_eq!(moved(&mut node, "high", vec![3.0, 0.6, 0.75, 1.5]), Ok(vec![1.0, 0.6, 0.75, 1.0]));
    let nan = moved(&mut node, "low", vec![f32::NAN]);
    assert!(matches!(nan, Err(Error::ParameterNotFinite { name: "low", .. })), "{nan:?}");
    let unknown = moved(&mut node, "lo", vec![0.0]);
    assert!(matches!(unknown, Err(Error::UnknownParameter { .. })), "{unknown:?}");
    node.set_parameter("tau", Array::full([], 0.5)).unwrap();
    node.forward(&Array::full([4], 1.0)).unwrap();

    // If the neuron's own value does not fit either, there is no direction to move in.
    let mut node = Node::<Ranged, f64>::new(Ranged { tau: 0.5, ..Ranged::default() });
    node.set_out_of_range(OutOfRange::Clamp);
    let error = node.set_parameter("tau", Array::full([], 0.25)).unwrap_err();
    assert!(matches!(error, Error::ParameterRange { name: "tau", value: 0.25, .. }), "{error}");
}

/// The same bits whatever the number of threads.
#[test]
fn sums_do_not_depend_on_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut node = MultiStepNode::<Normalised, f32>::default();
            let x: Vec<f32> =
                numbers(3, &[4, 100, 333]).into_vec().unwrap().iter().map(|x| 2.0 * *x as f32).collect();
            let spike = node.forward(&Array::from_vec([4, 100, 333], x).unwrap()).unwrap();
            node.backward(&spike).unwrap();
            ["scale", "shift", "v_threshold", "v_reset"]
                .map(|name| node.parameter_grad(name).unwrap().unwrap())
        })
    };
    assert_eq!(run(1), run(3));
}
