//! Two GPUs in one process. On a machine with one, two devices of candle on the same GPU.

use candle_core::{DType, Device, DeviceLocation, Tensor};
use neuron_runtime::cuda::CudaDevice;
use neurons_candle::{Error, Gradient, MultiStep, Node, step};

use crate::common::{Lif, distance, random};

fn devices() -> [Device; 2] {
    let count = CudaDevice::count().unwrap();
    println!("GPUs: {count}");
    [0, 1 % count].map(|index| Device::new_cuda_with_stream(index).unwrap())
}

#[test]
fn layers_run_where_their_inputs_are() {
    let x_seq = random(&[9, 4, 8], -0.5..2.5, 1).to_dtype(DType::F32).unwrap();
    let layer = MultiStep::new(Lif::default(), Gradient::default()).unwrap();
    let expected = layer.forward(&x_seq).unwrap();
    let devices = devices();
    for device in devices.iter().chain(&devices) {
        let spikes = layer.forward(&x_seq.to_device(device).unwrap()).unwrap();
        assert!(spikes.device().same_device(device));
        assert_eq!(distance(&spikes.to_device(&Device::Cpu).unwrap(), &expected), 0.0);
    }
}

/// Each thread has a device, a clone of the layer, and a state there.
#[test]
fn one_thread_for_each() {
    let x = random(&[64], 0.5..2.5, 2).to_dtype(DType::F32).unwrap();
    let node = Node::new(Lif::default(), Gradient::default()).unwrap();
    let count = |device: &Device| {
        let (mut node, x) = (node.clone(), x.to_device(device).unwrap());
        let spikes: Vec<Tensor> = (0..100).map(|_| node.step(&x).unwrap()).collect();
        assert!(node.states().unwrap()[0].device().same_device(device));
        Tensor::stack(&spikes, 0).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
    };
    let expected = count(&Device::Cpu);
    std::thread::scope(|scope| {
        let threads = devices().map(|device| scope.spawn(move || count(&device)));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
    assert!(expected > 0.0);
}

#[test]
fn tensors_of_one_call_are_on_one_device() {
    let [first, second] = devices();
    let ones = |device: &Device| Tensor::ones(3, DType::F32, device).unwrap();
    let mut node = Node::new(Lif::default(), Gradient::default()).unwrap();
    node.step(&ones(&first)).unwrap();
    for other in [&second, &Device::Cpu] {
        let refused = node.step(&ones(other)).unwrap_err();
        assert!(
            matches!(refused, Error::Candle(candle_core::Error::DeviceMismatchBinaryOp { .. })),
            "{refused}"
        );
    }
    let refused = step(&Lif::default(), Gradient::default(), &[&ones(&Device::Cpu)], &[ones(&first)]);
    assert!(matches!(refused, Err(Error::Candle(_))));
    node.reset();
    node.step(&ones(&second)).unwrap();
    assert!(matches!(node.states().unwrap()[0].device().location(), DeviceLocation::Cuda { .. }));
}
