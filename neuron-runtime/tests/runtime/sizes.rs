//! Sizes that no memory has, and arrays without rows.

use crate::{Lif, Numbers, lif};

#[cfg(feature = "cuda")]
mod workspace {
    use neuron_runtime::cuda::{RawParameter, workspace_bytes};
    use neuron_runtime::{DeclaredNeuron, Template, neuron};

    neuron! {
        pub struct Learns { learnable w = 0.5; charge = v + w * x; reset hard; }
    }

    #[test]
    fn the_workspace_is_never_smaller_than_needed() {
        let bytes = |neurons, count, inner| {
            let parameters = [RawParameter { address: 0, count, inner }];
            workspace_bytes::<f32>(Learns::SPEC, Template::Bptt, neurons, &parameters)
        };
        // The gradient of each neuron, which one pass adds up; of more than that adds up at once, two areas for partial sums.
        assert_eq!(bytes(100, 1, 1), 400);
        assert_eq!(bytes(5000, 1, 1), 4 * 5000 + 2 * 2 * 8);
        // Of many neurons, the sums of columns of two.
        assert_eq!(bytes(1 << 20, 1, 1), 8 * (1 << 19) + 2 * 8 * (1 << 7));
        // Each has a parameter of its own: nothing is added up.
        assert_eq!(bytes(1 << 20, 1 << 20, 1), 4 << 20);
        // Calls that are refused.
        assert_eq!(bytes(100, 0, 1), 0);
        assert_eq!(bytes(100, 1, 0), 0);
        assert_eq!(bytes(100, 3, 1), 0);
        assert_eq!(bytes(0, 1, 1), 0);
        // The product with the size of a number wraps.
        assert_eq!(bytes((1 << 62) + 2, (1 << 62) + 2, 1), usize::MAX);
    }
}

/// Up to 8 steps there are no checkpoints, so the array of them has no memory that a tile could point into.
#[test]
fn arrays_without_rows_have_no_columns() {
    for (steps, neurons) in [(2, 130), (8, 65), (9, 130)] {
        let mut numbers = Numbers(3);
        let x_seq: Vec<f32> = numbers.vec(steps * neurons, -1.0, 4.0);
        let v = vec![0.0; neurons];
        let mut plain = (vec![0.0; steps * neurons], vec![0.0; neurons]);
        let buffers = lif::Fptt { x_seq: &x_seq, v: &v, spike_seq: &mut plain.0, v_next: &mut plain.1 };
        Lif::default().fptt(buffers).expect("a valid call");

        let mut lean = (vec![0.0; steps * neurons], vec![0.0; neurons]);
        let mut v_checkpoints = vec![0.0; (steps - 1) / 8 * neurons];
        let buffers = lif::LeanFptt {
            x_seq: &x_seq,
            v: &v,
            spike_seq: &mut lean.0,
            v_next: &mut lean.1,
            v_checkpoints: &mut v_checkpoints,
        };
        Lif::default().lean_fptt(buffers).expect("a valid call");
        assert_eq!(lean, plain, "{steps} steps of {neurons} neurons");
    }
}
