//! Kernels for the GPU, printed when they are needed.

use neuron_codegen::check::analyse;
use neuron_codegen::emit;
use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::{Program, programs};
use neuron_runtime::{Print, Printed};

use crate::thread::with_stack;

/// Prints the kernels of a declaration, which has no mistakes.
#[derive(Debug)]
struct Printer {
    declaration: &'static str,
}

/// The kernels of a declaration without mistakes.
pub fn printed(declaration: &'static str) -> &'static Printed {
    Box::leak(Box::new(Printed::new(Box::new(Printer { declaration }))))
}

impl Print for Printer {
    fn print(&self, kernel: Option<&str>) -> String {
        // The declaration is read again: what was made of it when it was declared may not leave its thread.
        with_stack(|| {
            let tokens = self.declaration.parse().expect("it has been read before");
            let model = analyse(tokens).model.expect("it had no mistakes");
            let mut derived = Derived::new(model);
            let programs: Vec<Program> = programs(&mut derived)
                .into_iter()
                .filter(|program| kernel.is_none_or(|kernel| program.variant.name() == kernel))
                .collect();
            emit::cuda::source(&derived, &programs)
        })
    }
}
