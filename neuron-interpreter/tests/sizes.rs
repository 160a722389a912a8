//! Tiles are computed in groups, whose last one may be smaller and end within a tile.

mod common;

use common::{run, same};
use half::bf16;
use neuron_interpreter::Declaration;
use neurons::evaluate::{Mode, evaluate};
use neurons::{Array, DeclaredNeuron, Element, Gradient, Lif, MultiStep, Neuron, Source, Template};

/// Around one tile and around eight, and where threads are started.
const SIZES: [usize; 9] = [1, 63, 64, 65, 511, 512, 513, 1100, 3000];

#[test]
fn the_bits_of_compiled_kernels() {
    fn check<E: Element>() {
        let declared = Declaration::parse(Lif::SPEC.declaration).unwrap().neuron();
        for template in Lif::SPEC.templates() {
            for neurons in SIZES {
                let gradient = Gradient::default();
                let expected = run::<_, E>(&Lif::default(), Mode::Spiking, template, gradient, neurons);
                let actual = run::<_, E>(&declared, Mode::Spiking, template, gradient, neurons);
                let same = expected.iter().zip(&actual).all(|(a, b)| same(*a, *b));
                assert!(same && expected.len() == actual.len(), "{template:?} {neurons}");
            }
        }
    }
    check::<f32>();
    check::<bf16>();
}

/// Neither initial nor final states.
#[test]
fn arrays_that_are_left_out() {
    let declared = Declaration::parse(Lif::SPEC.declaration).unwrap().neuron();
    for neurons in SIZES {
        let x: Vec<f32> = (0..9 * neurons).map(|i| (i % 7) as f32 - 1.0).collect();
        let absent: &[f32] = &[];
        let inputs = [Source::Signal(&x), Source::State(absent)];
        let gradient = Gradient::default();
        let run = |inputs: &[Source<'_, f32>]| {
            let mut outputs =
                evaluate(&declared, Mode::Spiking, Template::Fptt, gradient, neurons, inputs).unwrap();
            outputs.take_signal(neurons::Role::Output).unwrap()
        };
        let expected = MultiStep::new(Lif::default(), gradient)
            .inference(&Array::from_vec([9, neurons], x.clone()).unwrap(), &Array::zeros([neurons]))
            .unwrap();
        assert_eq!(run(&inputs), expected.0.to_vec().unwrap(), "{neurons}");
    }
    assert_eq!(declared.initial_state(), Lif::default().initial_state());
}
