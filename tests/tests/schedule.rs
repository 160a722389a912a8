//! How every kernel of every neuron uses a GPU, to be read and reviewed: a row a template, whose kernels have one
//! schedule under all resets, and one for its kernel for few neurons.

use std::fmt::Write;

use neuron_abi::Format;
use neuron_codegen::kernel::{Program, SlotId, programs};
use neuron_codegen::schedule::{Form, Schedule, Staging, Sums, Target};
use neurons_tests::declared::models_and_mixture;

const HEADER: &str = "\
Lanes in each format; `xN`: at least N resident blocks a multiprocessor (`__launch_bounds__`). Staged: arrays that a chunk of
steps keeps in their memory format, in shared memory (half precision, bytes a block) or in registers. The second kernel of a
template is for few neurons: of a group of chunks it keeps arrays and factors in shared memory, in the format of the arithmetic. The
third, where a step is affine in the states, scans: in shared memory it keeps what chunks make of these. What these are depends on
the reset; here it is the first that is declared. Sums: of gradients of parameters, in shared memory (bytes a block in half precision)
or in registers.

                   form    steps  f64  f32   f16, bf16  staged
";

/// The schedules of a program's kernels, one to three.
fn schedules(program: &Program) -> impl Iterator<Item = Schedule> {
    let others = [Schedule::few(program, Target::CUDA), Schedule::scan(program, Target::CUDA)];
    std::iter::once(Schedule::of(&program.signature, Target::CUDA)).chain(others.into_iter().flatten())
}

/// How many arrays, or states, a schedule keeps in shared memory.
fn kept(program: &Program, schedule: Schedule) -> usize {
    match schedule.staging {
        Staging::Maps(_) => program.affine.as_ref().map_or(0, |affine| affine.carried.len()),
        _ => schedule.staged(program).len(),
    }
}

fn row(program: &Program, schedule: Schedule) -> String {
    let [double, single, half] = [Format::F64, Format::F32, Format::F16].map(|format| {
        let lanes = schedule.width.lanes().of(format);
        schedule.blocks.count(format).map_or(lanes.to_string(), |blocks| format!("{lanes} x{blocks}"))
    });
    let (form, steps) = (format!("{:?}", schedule.form), schedule.steps());
    let template = program.variant.template.name();
    let staged = schedule.staged(program);
    let buffers = || program.loads.iter().chain(&program.stores);
    let array = |staged: &SlotId| buffers().find(|(slot, _)| slot == staged).map(|(_, buffer)| *buffer);
    let name = |slot: &SlotId| match array(slot) {
        Some(buffer) => program.buffer(buffer).to_owned(),
        None => program.slot(*slot).chunk.replace("_chunk", ""),
    };
    let arrays: Vec<String> = staged.iter().map(name).collect();
    let place = match schedule.staging {
        Staging::Group(group) => {
            let [double, single] = [Format::F64, Format::F32].map(|format| group.chunks(format));
            let bytes = schedule.shared_bytes(staged.len(), Format::F32) >> 10;
            format!("{bytes} KiB, {single} chunks (f64: {double}): ")
        }
        Staging::Maps(warps) => {
            let [double, single] = [Format::F64, Format::F32].map(|format| warps.count(format));
            let bytes = schedule.shared_bytes(kept(program, schedule), Format::F32);
            format!("{bytes} bytes, {single} warps (f64: {double})")
        }
        Staging::None => String::new(),
        Staging::Registers => "registers: ".to_owned(),
        Staging::Shared => format!("{} KiB: ", schedule.shared_bytes(staged.len(), Format::F16) >> 10),
    };
    let sums = match schedule.sums {
        _ if !program.adds_up() || schedule.form == Form::Groups => String::new(),
        Sums::Registers => "  sums: registers".to_owned(),
        Sums::Shared => {
            format!("  sums: {} KiB", schedule.sum_bytes(program.signature.sums().count(), Format::F16) >> 10)
        }
    };
    let row = format!(
        "{template:17}  {form:6}  {steps:<5}  {double:3}  {single:4}  {half:9}  {place}{}{sums}",
        arrays.join(", ")
    );
    row.trim_end().to_owned()
}

#[test]
fn of_every_neuron() {
    let mut text = HEADER.to_owned();
    let mut models = models_and_mixture();
    models.sort_by_key(|derived| derived.model.name.to_string());
    for mut derived in models {
        let mut programs = programs(&mut derived);
        programs.retain(|program| !program.variant.relaxed);
        for program in &programs {
            let like = programs.iter().find(|like| like.variant.template == program.variant.template);
            let of = |program: &Program| Schedule::of(&program.signature, Target::CUDA);
            assert_eq!(like.map(of), Some(of(program)), "resets make no difference");
        }
        programs.sort_by_key(|program| program.variant.template);
        programs.dedup_by_key(|program| program.variant.template);
        let rows =
            programs.iter().flat_map(|program| schedules(program).map(|schedule| row(program, schedule)));
        let rows = rows.collect::<Vec<_>>().join("\n");
        let _ = writeln!(text, "\n{}\n{rows}", derived.model.name);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("schedule", text));
}

/// A block of threads has no more shared memory than a launch may ask for, whatever is staged.
#[test]
fn shared_memory_suffices() {
    for mut derived in models_and_mixture() {
        for program in programs(&mut derived).iter().filter(|program| !program.variant.relaxed) {
            for schedule in schedules(program) {
                let staged = kept(program, schedule);
                for format in Format::ALL {
                    let sums = schedule.sum_bytes(program.signature.sums().count(), format);
                    let bytes = schedule.shared_bytes(staged, format) + sums;
                    assert!(bytes <= Target::CUDA.shared, "{}: {bytes} bytes", program.variant.name());
                }
            }
        }
    }
}
