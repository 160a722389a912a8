//! Templates against each other, bit for bit.

use neurons::{Absent, BufferSpec, Device, Error, Isa, Role, Template};
use rand::Rng;

use super::arrays::{Arrays, Runner, difference, of_role};
use super::settings::{Subject, declared};
use super::{Kind, Report};
use crate::cases::Host;
use crate::random::compiled::Format;
use crate::random::number::Surrogate;

/// Sizes `[T, N]` around those of blocks of steps and of tiles.
const SIZES: [[usize; 2]; 5] = [[1, 3], [7, 33], [8, 1], [9, 70], [20, 3]];

/// The same, where threads are started.
const LARGE: [usize; 2] = [3, 11_003];

/// Checks one setting in one format.
pub fn check<E: Format>(subject: &Subject<'_>, report: &mut Report) {
    if E::of(subject.neuron).is_none() {
        return;
    }
    for (i, [steps, neurons]) in SIZES.into_iter().enumerate() {
        let mut rng = subject.rng(10 + i as u64);
        let surrogate = if rng.random() { Surrogate::Atan(2.0) } else { Surrogate::Sigmoid(4.0) };
        let gradient = declared(surrogate, rng.random());
        let runner = Runner { subject: *subject, device: &Device::Cpu, gradient, steps, neurons };
        let arrays = runner.draw::<E>(&mut rng);
        if let Err(error) = compare(&runner, &arrays, report) {
            report.add(Kind::Call, || error.to_string());
        }
    }
    if E::NAME == "f32" {
        let [steps, neurons] = if subject.seed.is_multiple_of(8) { LARGE } else { [9, 70] };
        let mut rng = subject.rng(20);
        let gradient = declared(Surrogate::Atan(2.0), false);
        let runner = Runner { subject: *subject, device: &Device::Cpu, gradient, steps, neurons };
        let arrays = runner.draw::<E>(&mut rng);
        if let Err(error) = independent(&runner, &arrays, report) {
            report.add(Kind::Call, || error.to_string());
        }
    }
}

fn about<E: Format>(runner: &Runner<'_>, what: &str) -> String {
    let Runner { subject, gradient, steps, neurons, .. } = runner;
    let reset = subject.setting.reset;
    format!("{what}, {}, {reset} reset, {gradient:?}, T = {steps}, N = {neurons}", E::NAME)
}

/// Adds what differs from the expected arrays.
fn same<E: Format>(
    runner: &Runner<'_>,
    kind: Kind,
    what: &str,
    expected: &Arrays<E>,
    actual: &Arrays<E>,
    report: &mut Report,
) {
    for (buffer, expected) in expected {
        let actual = of_role(actual, buffer.role);
        let difference =
            actual.map_or_else(|| Some(" is missing".to_owned()), |actual| difference(expected, actual));
        if let Some(difference) = difference {
            report.add(kind, || format!("{}: {}{difference}", about::<E>(runner, what), buffer.name));
        }
    }
}

/// Mixes bits into those of the report; all NaN are one.
fn mix<E: Format>(report: &mut Report, arrays: &Arrays<E>) {
    for number in arrays.iter().flat_map(|(_, host)| host.numbers()) {
        let bits = if number.is_nan() { u64::MAX } else { number.to_bits() };
        report.bits = (report.bits.rotate_left(5) ^ bits).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

fn compare<E: Format>(runner: &Runner<'_>, arrays: &Arrays<E>, report: &mut Report) -> Result<(), Error> {
    let spec = runner.subject.spec;
    let plain = runner.run(Template::Fptt, &[arrays])?;
    let classical = runner.run(Template::FpttWithGrad, &[arrays])?;
    let lean = runner.run(Template::LeanFptt, &[arrays])?;
    let with_v = runner.run(Template::FpttWithV, &[arrays])?;
    for (what, other) in [("fptt_with_grad", &classical), ("lean_fptt", &lean), ("fptt_with_v", &with_v)] {
        same(runner, Kind::Templates, what, &plain, other, report);
    }
    // The potential after the last step.
    let v = spec.signature(Template::Fptt).output(Role::NextState(0)).expect("every neuron has a potential");
    if let Some(Host::State(v_seq)) = of_role(&with_v, Role::Trace) {
        let last = vec![(v, Host::State(v_seq[v_seq.len() - runner.neurons..].to_vec()))];
        same(runner, Kind::Templates, "v_seq", &last, &plain, report);
    }
    if spec.fires() {
        let packed = runner.run(Template::PackedFptt, &[arrays])?;
        let bits = |(buffer, host): &(&'static BufferSpec, Host<E>)| match buffer.role {
            Role::Output => (*buffer, Host::Bits(words(host, runner.neurons))),
            _ => (*buffer, host.clone()),
        };
        let expected = plain.iter().map(bits).collect();
        same(runner, Kind::Templates, "packed_fptt", &expected, &packed, report);
    }
    let grads = runner.run(Template::Bptt, &[arrays, &classical])?;
    let lean_grads = runner.run(Template::LeanBptt, &[arrays, &lean])?;
    same(runner, Kind::Pairs, "lean_bptt", &grads, &lean_grads, report);
    [&classical, &grads, &lean_grads].into_iter().for_each(|arrays| mix(report, arrays));
    left_out(runner, arrays, report)?;
    if runner.neurons < 40 {
        forward_steps(runner, arrays, &classical, report)?;
        backward_steps(runner, arrays, &classical, &grads, report)?;
    }
    Ok(())
}

/// Without initial states and gradients of final ones, through both pairs: the same as with initial values and zeros.
fn left_out<E: Format>(runner: &Runner<'_>, arrays: &Arrays<E>, report: &mut Report) -> Result<(), Error> {
    let (spec, neuron) = (runner.subject.spec, runner.subject.neuron);
    let own: Vec<f64> = spec.arrays().map(|param| runner.subject.param(param.name)).collect();
    let initial = neuron.initial(&own);
    let stands_for = |buffer: &BufferSpec| match buffer.absent()? {
        Absent::Initial(state) => (!spec.states[state].varies).then(|| initial[state]),
        Absent::Zero => Some(0.0),
        Absent::Unwritten => None,
    };
    let [given, absent] = [true, false].map(|is_given| -> Arrays<E> {
        let array = |(buffer, host): &(&'static BufferSpec, Host<E>)| match stands_for(buffer) {
            Some(value) if is_given => (*buffer, host.filled(value)),
            Some(_) => (*buffer, host.without_elements()),
            None => (*buffer, host.clone()),
        };
        arrays.iter().map(array).collect()
    });
    for (forward, backward) in
        [(Template::FpttWithGrad, Template::Bptt), (Template::LeanFptt, Template::LeanBptt)]
    {
        let [expected, actual] = [&given, &absent].map(|arrays| -> Result<[Arrays<E>; 2], Error> {
            let outputs = runner.run(forward, &[arrays])?;
            let grads = runner.run(backward, &[arrays, &outputs])?;
            Ok([outputs, grads])
        });
        for (expected, actual) in expected?.iter().zip(actual?) {
            same(runner, Kind::LeftOut, forward.name(), expected, &actual, report);
        }
    }
    Ok(())
}

/// Words of 32 spikes each.
fn words<E: Format>(spikes: &Host<E>, neurons: usize) -> Vec<u32> {
    let spikes = spikes.numbers();
    let word = |part: &[f64]| {
        part.iter().enumerate().map(|(n, spike)| if *spike == 1.0 { 1 << n } else { 0 }).sum::<u32>()
    };
    spikes.chunks(neurons).flat_map(|row| row.chunks(32).map(word)).collect()
}

/// Step by step, forward.
fn forward_steps<E: Format>(
    runner: &Runner<'_>,
    arrays: &Arrays<E>,
    expected: &Arrays<E>,
    report: &mut Report,
) -> Result<(), Error> {
    let spec = runner.subject.spec;
    for single in [Template::Forward, Template::ForwardWithGrad] {
        let single_of = spec.signature(single);
        let mut given = arrays.clone();
        for step in 0..runner.steps {
            let inputs = runner.step_of(step, &given, single_of.inputs);
            let outputs = runner.run(single, &[&inputs])?;
            let mut wanted = runner.step_of(step, expected, single_of.outputs);
            if step + 1 < runner.steps {
                wanted.retain(|(buffer, _)| !matches!(buffer.role, Role::NextState(_)));
            }
            same(runner, Kind::Templates, &format!("{single} at step {step}"), &wanted, &outputs, report);
            for (buffer, host) in outputs {
                if let Role::NextState(state) = buffer.role {
                    replace(&mut given, Role::State(state), host);
                }
            }
        }
    }
    Ok(())
}

/// Step by step, backward; gradients of parameters are sums over steps, in another order.
fn backward_steps<E: Format>(
    runner: &Runner<'_>,
    arrays: &Arrays<E>,
    classical: &Arrays<E>,
    expected: &Arrays<E>,
    report: &mut Report,
) -> Result<(), Error> {
    let spec = runner.subject.spec;
    let single_of = spec.signature(Template::Backward);
    let mut given: Arrays<E> = arrays.iter().chain(classical).cloned().collect();
    for step in (0..runner.steps).rev() {
        let inputs = runner.step_of(step, &given, single_of.inputs);
        let outputs = runner.run(Template::Backward, &[&inputs])?;
        let mut wanted = runner.step_of(step, expected, single_of.outputs);
        wanted.retain(|(buffer, _)| match buffer.role {
            Role::GradInput(_) => true,
            Role::GradState(_) => step == 0,
            _ => false,
        });
        same(runner, Kind::Templates, &format!("backward at step {step}"), &wanted, &outputs, report);
        for (buffer, host) in outputs {
            if let Role::GradState(state) = buffer.role {
                replace(&mut given, Role::GradNextState(state), host);
            }
        }
    }
    Ok(())
}

/// Puts `host` in place of the array of that role.
fn replace<E: Format>(arrays: &mut Arrays<E>, role: Role, host: Host<E>) {
    if let Some((_, old)) = arrays.iter_mut().find(|(buffer, _)| buffer.role == role) {
        *old = host;
    }
}

/// Whatever the instruction set and the number of threads.
fn independent<E: Format>(runner: &Runner<'_>, arrays: &Arrays<E>, report: &mut Report) -> Result<(), Error> {
    let everything = || -> Result<Arrays<E>, Error> {
        let mut all = runner.run(Template::FpttWithGrad, &[arrays])?;
        let lean = runner.run(Template::LeanFptt, &[arrays])?;
        let grads = runner.run(Template::Bptt, &[arrays, &all])?;
        all.extend(grads);
        all.extend(runner.run(Template::LeanBptt, &[arrays, &lean])?);
        Ok(all)
    };
    let expected = everything()?;
    for &isa in Isa::available() {
        let actual = isa.with(everything)?;
        same(runner, Kind::Independence, isa.name(), &expected, &actual, report);
    }
    if runner.neurons > 1000 {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let Ok(pool) = pool else { continue };
            let actual =
                pool.install(|| -> Result<Arrays<E>, String> { everything().map_err(|e| e.to_string()) });
            match actual {
                Ok(actual) => same(runner, Kind::Independence, "threads", &expected, &actual, report),
                Err(error) => report.add(Kind::Call, || error),
            }
        }
    }
    Ok(())
}
