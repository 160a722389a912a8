//! Compiles the neurons' CUDA kernels; see `docs/cuda.md`.

fn main() {
    if cfg!(feature = "cuda") {
        neuron_codegen::build::neurons();
    }
}
