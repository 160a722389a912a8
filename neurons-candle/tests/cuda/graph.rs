//! A forward and a backward pass, captured as a graph of CUDA: it has kernels and memory only, no copies, and nothing waits.

use candle_core::cuda_backend::cudarc::driver::sys::{
    CUgraph, CUgraphNode, CUgraphNodeType, CUgraphNodeType_enum as Node, CUstreamCaptureMode,
    cuGraphGetNodes, cuGraphNodeGetType, cuStreamBeginCapture_v2, cuStreamEndCapture,
};
use candle_core::{DType, Device, Var};
use neurons_candle::{Gradient, MultiStep};

use crate::common::{Normalised, random};
use crate::gpu;

/// What is captured while `work` runs.
pub fn captured(device: &Device, work: impl FnOnce()) -> Vec<CUgraphNodeType> {
    let stream = device.as_cuda_device().unwrap().cuda_stream();
    let mut graph: CUgraph = std::ptr::null_mut();
    // SAFETY: the stream is alive; results go to local variables; the graph is never launched.
    unsafe {
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        cuStreamBeginCapture_v2(stream.cu_stream(), mode).result().unwrap();
        work();
        cuStreamEndCapture(stream.cu_stream(), &raw mut graph).result().unwrap();
        let mut count = 0;
        cuGraphGetNodes(graph, std::ptr::null_mut(), &raw mut count).result().unwrap();
        let mut nodes: Vec<CUgraphNode> = vec![std::ptr::null_mut(); count];
        cuGraphGetNodes(graph, nodes.as_mut_ptr(), &raw mut count).result().unwrap();
        let kind = |node: &CUgraphNode| {
            let mut kind = Node::CU_GRAPH_NODE_TYPE_EMPTY;
            cuGraphNodeGetType(*node, &raw mut kind).result().unwrap();
            kind
        };
        nodes.iter().map(kind).collect()
    }
}

#[test]
fn nothing_is_copied_and_nothing_waits() {
    let device = gpu();
    let tensor = |shape: &[usize], seed| {
        let values = random(shape, 0.5..1.5, seed).to_dtype(DType::F32).unwrap();
        values.to_device(&device).unwrap()
    };
    let (x_seq, shift) = (tensor(&[20, 4, 64], 1), Var::from_tensor(&tensor(&[64], 2)).unwrap());
    let x_seq = Var::from_tensor(&x_seq).unwrap();
    let layer = MultiStep::new(Normalised::default(), Gradient::default()).unwrap();
    let layer = layer.with_parameter("shift", shift.as_tensor().clone()).unwrap();
    let v = tensor(&[4, 64], 3);
    let run = || {
        let (output, next) = layer.forward_from(&x_seq, Some(std::slice::from_ref(&v))).unwrap();
        assert_eq!(next.len(), 1);
        output.backward().unwrap()
    };
    // Kernels are loaded at first use. After a backward pass, the next call checks the parameters; the one after does not.
    run();
    layer.forward(&x_seq).unwrap();
    let kinds = captured(&device, || drop(run()));
    let is_kernel = |kind: &CUgraphNodeType| matches!(kind, Node::CU_GRAPH_NODE_TYPE_KERNEL);
    let is_memory = |kind: &CUgraphNodeType| {
        use Node::*;
        matches!(kind, CU_GRAPH_NODE_TYPE_MEMSET | CU_GRAPH_NODE_TYPE_MEM_ALLOC | CU_GRAPH_NODE_TYPE_MEM_FREE)
    };
    assert!(kinds.iter().all(|kind| is_kernel(kind) || is_memory(kind)), "{kinds:?}");
    // The neuron forward and backward at least, and candle's sums of three gradients.
    assert!(kinds.iter().filter(|kind| is_kernel(kind)).count() >= 5, "{kinds:?}");
}
