//! Results do not depend on threads, vector instructions, or how a sequence is cut into calls.

use half::{bf16, f16};
use neuron_runtime::{Element, Gradient, Isa, Surrogate};

use crate::{Data, Lif, lif, mixed, train};

/// More than enough neurons for several threads, the last tile incomplete.
const STEPS: usize = 6;
const NEURONS: usize = 30_011;

/// All outputs, as bits.
fn everything<E: Element>() -> Vec<String> {
    let gradient = Gradient { surrogate: Surrogate::sigmoid(3.0), detach_reset: false };
    let data = Data::<E>::new(STEPS, NEURONS);
    let lif = train(&Lif::default(), gradient, &data);
    let (spikes, states) = mixed::<E>(STEPS, NEURONS);
    // Debug prints the shortest text that tells a number from all others.
    vec![
        format!("{:?} {:?}", lif.spike_seq, lif.grad_x_seq),
        format!("{:?} {:?}", lif.v_next, lif.grad_v),
        format!("{:?} {:?}", lif.grad_s_to_h, lif.grad_v_to_h),
        format!("{spikes:?} {states:?}"),
    ]
}

fn same_everywhere<E: Element>() {
    let expected = everything::<E>();
    for threads in [1, 2, 3, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for &isa in Isa::available() {
            let actual = pool.install(|| isa.with(everything::<E>));
            assert!(actual == expected, "{} differs with {threads} threads, {isa:?}", E::NAME);
        }
    }
}

#[test]
fn same_bits_on_every_instruction_set_and_number_of_threads() {
    same_everywhere::<f32>();
    same_everywhere::<f64>();
    same_everywhere::<f16>();
    same_everywhere::<bf16>();
}

/// Arrays so large that they are written past the caches.
#[test]
fn columns_of_large_arrays_are_those_of_small_ones() {
    let neurons = 1_400_004;
    assert!(
        neurons % 64 != 0 && STEPS * neurons * size_of::<f32>() > 32 << 20,
        "large, the last tile incomplete"
    );
    let data = Data::<f32>::new(STEPS, neurons);
    let (neuron, gradient) = (Lif::default(), Gradient::default());
    let whole = train(&neuron, gradient, &data);
    for first in [0, 700_000, neurons - 70] {
        let cut = |array: &[f32]| -> Vec<f32> {
            array.chunks(neurons).flat_map(|row| &row[first..first + 70]).copied().collect()
        };
        let part = train(
            &neuron,
            gradient,
            &Data {
                x_seq: cut(&data.x_seq),
                v: cut(&data.v),
                grad_spike_seq: cut(&data.grad_spike_seq),
                grad_v_next: cut(&data.grad_v_next),
            },
        );
        assert!(part.spike_seq == cut(&whole.spike_seq) && part.v_next == cut(&whole.v_next));
        assert!(part.grad_s_to_h == cut(&whole.grad_s_to_h) && part.grad_v_to_h == cut(&whole.grad_v_to_h));
        assert!(part.grad_x_seq == cut(&whole.grad_x_seq) && part.grad_v == cut(&whole.grad_v));
    }
}

#[test]
fn a_sequence_is_its_steps() {
    let (steps, neurons) = (5, 70);
    let data = Data::<f32>::new(steps, neurons);
    let neuron = Lif::default();
    let whole = train(&neuron, Gradient::default(), &data);

    let mut v = data.v.clone();
    let mut spike_seq = Vec::new();
    for x in data.x_seq.chunks(neurons) {
        let (mut spike, mut v_next) = (vec![0.0; neurons], vec![0.0; neurons]);
        let buffers = lif::Forward { x, v: &v, spike: &mut spike, v_next: &mut v_next };
        neuron.forward(buffers).unwrap();
        spike_seq.extend(spike);
        v = v_next;
    }
    assert_eq!((spike_seq, v), (whole.spike_seq, whole.v_next));

    let mut grad_v = data.grad_v_next.clone();
    for t in (0..steps).rev() {
        let row = t * neurons..(t + 1) * neurons;
        let (mut grad_x, mut grad_v_before) = (vec![0.0; neurons], vec![0.0; neurons]);
        neuron
            .backward(lif::Backward {
                grad_spike: &data.grad_spike_seq[row.clone()],
                grad_v_next: &grad_v,
                grad_s_to_h: &whole.grad_s_to_h[row.clone()],
                grad_v_to_h: &whole.grad_v_to_h[row.clone()],
                grad_x: &mut grad_x,
                grad_v: &mut grad_v_before,
            })
            .unwrap();
        assert_eq!(grad_x, whole.grad_x_seq[row]);
        grad_v = grad_v_before;
    }
    assert_eq!(grad_v, whole.grad_v);
}
