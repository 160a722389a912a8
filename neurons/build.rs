//! Compiles the neurons' CUDA kernels; see `docs/cuda.md`.

fn main() {
    neuron_codegen::build::neurons();
}
