//! What a normalisation refuses.

use candle_core::{DType, Device, Tensor};
use candle_nn::{BatchNormConfig, VarBuilder, VarMap};
use neuron_runtime::{Error as NeuronError, Neuron, neuron};
use neurons_candle::{BatchNorm, Error, Gradient, MultiStep};

use crate::common::{Lif, random};
use crate::{NormLif, fused, get, norm_lif};

neuron! {
    /// Reads its input in two ways.
    pub struct Twofold {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        state a = 0.0;
        let y = (x - mean) * scale + shift;
        charge = 0.5 * v + y;
        update a = 0.9 * a + x;
        reset hard;
    }
}

neuron! {
    /// Does not subtract the mean.
    pub struct Uncentred {
        array mean = 0.0;
        learnable scale = 1.0;
        learnable shift = 0.0;
        charge = 0.5 * v + scale * x + shift + 0.0 * mean;
        reset hard;
    }
}

neuron! {
    /// Its scale is not learnable.
    pub struct Constant {
        array mean = 0.0;
        array scale = 1.0;
        learnable shift = 0.0;
        let y = (x - mean) * scale + shift;
        charge = 0.5 * v + y;
        reset hard;
    }
}

fn refused<N: Neuron + Clone>(layer: MultiStep<N>, config: BatchNormConfig) -> Error {
    let vb = VarMap::new();
    let vb = VarBuilder::from_varmap(&vb, DType::F32, &Device::Cpu);
    BatchNorm::new(layer, 4, config, vb).unwrap_err()
}

fn layer<N: Neuron + Clone + Default>() -> MultiStep<N> {
    MultiStep::new(N::default(), Gradient::default()).unwrap()
}

#[test]
fn neurons_that_do_not_transform_their_input() {
    let config = BatchNormConfig::default();
    for (error, name) in [
        (refused(layer::<Lif>(), config), "Lif"),
        (refused(layer::<Twofold>(), config), "Twofold"),
        (refused(layer::<Uncentred>(), config), "Uncentred"),
        (refused(layer::<Constant>(), config), "Constant"),
    ] {
        assert!(matches!(error, Error::NotTransformed { neuron } if neuron == name), "{error}");
    }
    let one = Tensor::ones((), DType::F32, &Device::Cpu).unwrap();
    let layer_with_scale = layer::<NormLif>().with_parameter("scale", one).unwrap();
    assert!(matches!(refused(layer_with_scale, config), Error::Determined { name: "scale", .. }));
    let kept = BatchNormConfig { remove_mean: false, ..config };
    assert!(matches!(refused(layer::<NormLif>(), kept), Error::MeanKept { .. }));
    let negative = BatchNormConfig { eps: -1.0, ..config };
    assert!(matches!(refused(layer::<NormLif>(), negative), Error::Candle(_)));
}

#[test]
fn inputs_that_do_not_fit() {
    let variables = VarMap::new();
    let norm = fused(norm_lif(), &variables, 4, DType::F64, BatchNormConfig::default());
    let error = |dims: &[usize]| norm.forward_t(&random(dims, -1.0..1.0, 1), true).unwrap_err();
    assert_eq!(
        error(&[6, 2, 3, 4]).to_string(),
        "expected 4 channels in dimension 2 of `x_seq`, found shape [6, 2, 3, 4]"
    );
    assert!(matches!(error(&[6, 4]), Error::Channels { dim: 2, .. }));
    assert!(matches!(error(&[]), Error::NoTime { .. }));
    assert!(matches!(error(&[0, 2, 4]), Error::Empty { .. }));
    assert!(matches!(error(&[1, 1, 4]), Error::FewValues { .. }));
    let last = norm.clone().channels_last();
    last.forward_t(&random(&[6, 2, 3, 4], -1.0..1.0, 1), false).unwrap();
    assert!(matches!(
        last.forward_t(&random(&[6, 2, 4, 3], -1.0..1.0, 1), false),
        Err(Error::Channels { dim: 3, .. })
    ));
    // One value of each channel is enough outside training.
    norm.forward_t(&random(&[1, 1, 4], -1.0..1.0, 1), false).unwrap();

    let integers = Tensor::ones((6, 2, 4), DType::U32, &Device::Cpu).unwrap();
    assert!(matches!(norm.forward_t(&integers, true), Err(Error::UnsupportedDType { .. })));
    let states = [random(&[3, 4], 0.0..0.1, 2)];
    let x_seq = random(&[6, 2, 4], -1.0..1.0, 1);
    assert!(matches!(norm.forward_from_t(&x_seq, Some(&states), true), Err(Error::Shape { .. })));
    let infinite = (x_seq / 0.0).unwrap();
    let error = norm.forward_t(&infinite, true).unwrap_err();
    assert!(matches!(error, Error::Neuron(NeuronError::ParameterNotFinite { name: "mean", .. })), "{error}");
    assert_eq!(get(&variables, "running_mean").to_vec1::<f64>().unwrap(), [0.0; 4]);
}
