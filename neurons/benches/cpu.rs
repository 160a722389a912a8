//! The hot paths of the CPU, by criterion: `cargo bench -p spiking-neurons --bench cpu`.
//!
//! Templates of LIF over arrays that are larger than the caches, next to a copy of the input; what the number of threads
//! makes of two of them. `bench` of the examples has all neurons, and the GPU.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use neurons::{Array, Gradient, Keep, Lif, MultiStep, Surrogate};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

const STEPS: usize = 16;
const NEURONS: usize = 1 << 20;

fn values(seed: u32) -> Array<f32> {
    let value = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 * 4.0 - 1.0;
    Array::from_vec([STEPS, NEURONS], (0..STEPS * NEURONS).map(value).collect())
        .expect("as many as the shape has")
}

/// A sequence of LIF, and arrays for its passes.
struct Layer {
    x: Array<f32>,
    v: Array<f32>,
    grad: Array<f32>,
}

impl Layer {
    fn new() -> Self {
        Self { x: values(1), v: Array::zeros([NEURONS]), grad: values(7) }
    }

    fn operation(surrogate: Surrogate, keep: Option<Keep>) -> MultiStep<Lif> {
        let gradient = Gradient { surrogate, ..Gradient::default() };
        let mut operation = MultiStep::new(Lif { tau: 2.0, ..Lif::default() }, gradient);
        operation.keep = keep;
        operation
    }

    fn backward(&self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, operation: &MultiStep<Lif>) {
        let (.., context) = operation.forward(&self.x, &self.v).expect("shapes agree");
        group.bench_function(name, |bencher| bencher.iter(|| context.backward(&self.grad, &self.v).unwrap()));
    }
}

fn templates(criterion: &mut Criterion) {
    let layer = Layer::new();
    let mut group = criterion.benchmark_group("lif");
    group.throughput(Throughput::Elements((STEPS * NEURONS) as u64)).sample_size(20);
    let from = layer.x.as_slice().expect("on the CPU");
    let mut to = vec![0.0f32; from.len()];
    let part = from.len() / (rayon::current_num_threads() * 8);
    group.bench_function("copy of x", |bencher| {
        bencher.iter(|| {
            to.par_chunks_mut(part)
                .zip(from.par_chunks(part))
                .for_each(|(to, from)| to.copy_from_slice(from));
        });
    });
    let operation = Layer::operation(Surrogate::atan(2.0), None);
    group.bench_function("inference", |bencher| {
        bencher.iter(|| operation.inference(&layer.x, &layer.v).unwrap())
    });
    group.bench_function("inference, packed spikes", |bencher| {
        bencher.iter(|| operation.inference_packed(&[&layer.x], &[&layer.v]).unwrap());
    });
    for (name, keep) in [("lean", Keep::Checkpoints), ("classical", Keep::Factors)] {
        let operation = Layer::operation(Surrogate::atan(2.0), Some(keep));
        group.bench_function(format!("{name} forward"), |bencher| {
            bencher.iter(|| operation.forward(&layer.x, &layer.v).unwrap());
        });
        layer.backward(&mut group, &format!("{name} backward"), &operation);
    }
    layer.backward(&mut group, "lean backward, Sigmoid", &Layer::operation(Surrogate::sigmoid(4.0), None));
    group.finish();
}

/// Inference and the lean backward pass on one thread and more.
fn threads(criterion: &mut Criterion) {
    let layer = Layer::new();
    let mut group = criterion.benchmark_group("threads");
    group.throughput(Throughput::Elements((STEPS * NEURONS) as u64)).sample_size(20);
    let operation = Layer::operation(Surrogate::atan(2.0), None);
    let all = rayon::current_num_threads();
    for threads in (0..).map(|power| 1 << power).take_while(|&threads| threads < all).chain([all]) {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        group.bench_function(format!("inference, {threads}"), |bencher| {
            bencher.iter(|| pool.install(|| operation.inference(&layer.x, &layer.v).unwrap()));
        });
        let (.., context) = operation.forward(&layer.x, &layer.v).expect("shapes agree");
        group.bench_function(format!("lean backward, {threads}"), |bencher| {
            bencher.iter(|| pool.install(|| context.backward(&layer.grad, &layer.v).unwrap()));
        });
    }
    group.finish();
}

criterion_group!(benches, templates, threads);
criterion_main!(benches);
