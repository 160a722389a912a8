//! Surrogates declared at run time against those of the macro, bit for bit, and what is wrong with a text.

mod common;

use common::{run, same};
use half::{bf16, f16};
use neuron_interpreter::{Declaration, Declarations, Level, SurrogateDeclaration};
use neurons::evaluate::Mode;
use neurons::surrogate::MAX_PARAMETERS;
use neurons::{AdEx, DeclaredNeuron, Element, Error, Gradient, Isa, Lif, Neuron, Real, Surrogate, Template};

/// The declarations of the surrogates of the library.
const BUILT_IN: &str = include_str!("../../neuron-runtime/src/surrogate/built_in.rs");

macro_rules! own {
    ($($declaration:tt)*) => {
        neurons::surrogate! { $($declaration)* }
        const OWN: &str = stringify!($($declaration)*);
    };
}

own! {
    surrogate Own {
        param a = 2.0 where a > 0.0, a < 100.0;
        param b = 0.1 where b >= 0.0, b < a;
        param c = 0.5;
        let z = a * u;
        let near = abs(u) <= c;
        primitive = sigmoid(z)^3 + b * tanh(sin(u) / a) + (if near && u != 0.0 { exp(-u^2 / a) } else { b * atan(u) / PI });
    }
}

/// Each surrogate of the macro, with that of the same text.
fn pairs() -> Vec<(Surrogate, SurrogateDeclaration)> {
    let declared = Declarations::parse(BUILT_IN).unwrap();
    assert!(declared.neurons.is_empty() && declared.surrogates.len() == Surrogate::all().count());
    let own = (Own::default().into(), SurrogateDeclaration::parse(OWN).unwrap());
    Surrogate::all().zip(declared.surrogates).chain([own]).collect()
}

/// The surrogate with its own parameters, and with others that are valid.
fn variants(surrogate: Surrogate) -> impl Iterator<Item = Vec<f64>> {
    let values: Vec<f64> = surrogate.parameters().map(|(_, value)| value).collect();
    let scaled = |factor: f64| values.iter().map(|value| value * factor).collect::<Vec<f64>>();
    let variants = [scaled(1.0), scaled(2.0), scaled(0.6)];
    variants.into_iter().filter(move |values| surrogate.with_parameters(values).unwrap().validate().is_ok())
}

fn distances<R: Real>() -> Vec<R> {
    let special = [0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 1e9, -1e9, 1e25, -1e200, f64::MAX, f64::MIN_POSITIVE];
    let grid = (-400..=400).map(|i| f64::from(i) * 0.0173);
    let special = special.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    special.chain(grid).map(R::from_f64).collect()
}

#[test]
fn the_same_bits() {
    fn check<R: Real>(compiled: Surrogate, interpreted: Surrogate) {
        let u = distances::<R>();
        for isa in Isa::available() {
            let gradients = [compiled, interpreted].map(|surrogate| {
                let mut u = u.clone();
                isa.with(|| surrogate.gradients_in(&mut u));
                u
            });
            for ((u, a), b) in u.iter().zip(&gradients[0]).zip(&gradients[1]) {
                assert!(same(*a, *b), "{compiled}: gradient({u}) = {a}, not {b}, with {}", isa.name());
            }
        }
        for &u in &u {
            let [a, b] = [compiled, interpreted].map(|surrogate| surrogate.primitive_in(u));
            assert!(same(a, b), "{compiled}: primitive({u}) = {a}, not {b}");
        }
    }
    for (compiled, declaration) in pairs() {
        assert!(variants(compiled).count() > 1 || compiled.parameters().count() == 0, "{compiled}");
        for values in variants(compiled) {
            let compiled = compiled.with_parameters(&values).unwrap();
            let interpreted = declaration.surrogate().with_parameters(&values).unwrap();
            check::<f32>(compiled, interpreted);
            check::<f64>(compiled, interpreted);
        }
    }
}

/// Also the source for the GPU.
#[test]
fn the_same_description() {
    for (compiled, declaration) in pairs() {
        let interpreted = declaration.surrogate();
        assert_eq!(interpreted.to_string(), compiled.to_string());
        assert_eq!(interpreted.parameter_defs(), compiled.parameter_defs());
        assert_eq!(interpreted.equation(), compiled.equation());
        assert_eq!(interpreted.gradient_equation(), compiled.gradient_equation());
        assert_eq!(interpreted.cuda_function("f"), compiled.cuda_function("f"));
        // It is compiled as a user's own, wherever it comes from.
        assert_eq!(interpreted.index(), None);
    }
}

#[cfg(feature = "cuda")]
#[test]
fn the_same_kernels_for_the_gpu() {
    use neurons::cuda::source_with;
    let interpreted = SurrogateDeclaration::parse(OWN).unwrap().surrogate();
    let text = source_with("", interpreted);
    assert_eq!(text, source_with("", Own::default().into()));
    assert!(text.contains("acc_t sin(") && text.contains("custom("), "{text}");
}

/// Every call of `neuron` that takes a gradient is the same with both surrogates; `others` are the same calls of other neurons,
/// with the second one.
fn check<N: Neuron, E: Element>(
    neuron: &N,
    others: &[&dyn Fn(Mode, Template, Gradient) -> Vec<f64>],
    surrogates: [Surrogate; 2],
) {
    let spec = neuron.spec();
    let calls = spec.templates().map(|template| (Mode::Spiking, template));
    for (mode, template) in calls.chain([(Mode::Relaxed, Template::FpttWithGrad)]) {
        for detach_reset in [false, true].into_iter().take(if template.takes_gradient() { 2 } else { 0 }) {
            let [compiled, interpreted] = surrogates.map(|surrogate| Gradient { surrogate, detach_reset });
            let expected = run::<_, E>(neuron, mode, template, compiled, 150);
            assert!(expected.iter().any(|value| *value != 0.0), "{} {template:?}", spec.name);
            let others = others.iter().map(|run| run(mode, template, interpreted));
            for actual in others.chain([run::<_, E>(neuron, mode, template, interpreted, 150)]) {
                let same =
                    expected.len() == actual.len() && expected.iter().zip(&actual).all(|(a, b)| same(*a, *b));
                assert!(same, "{} {mode:?} {template:?} {}", spec.name, surrogates[0]);
            }
        }
    }
}

/// Neurons of the macro and of the interpreter, with surrogates of the macro and of the interpreter.
#[test]
fn the_same_training() {
    fn both<N: DeclaredNeuron, E: Element>(surrogates: [Surrogate; 2]) {
        let declared = Declaration::parse(N::SPEC.declaration).unwrap().neuron();
        check::<N, E>(
            &N::default(),
            &[&|mode, template, gradient| run::<_, E>(&declared, mode, template, gradient, 150)],
            surrogates,
        );
    }
    for (compiled, declaration) in pairs() {
        let surrogates = [compiled, declaration.surrogate()];
        both::<Lif, f32>(surrogates);
        both::<Lif, f64>(surrogates);
        both::<Lif, f16>(surrogates);
        both::<Lif, bf16>(surrogates);
        both::<AdEx, f32>(surrogates);
        for spec in neurons::zoo::SPECS.iter().filter(|spec| spec.fires()) {
            let neuron = Declaration::parse(spec.declaration).unwrap().neuron();
            check::<_, f32>(&neuron, &[], surrogates);
            if compiled.name() == "Own" {
                check::<_, f64>(&neuron, &[], surrogates);
                check::<_, bf16>(&neuron, &[], surrogates);
            }
        }
    }
}

#[test]
fn the_same_ranges() {
    let interpreted = SurrogateDeclaration::parse(OWN).unwrap().surrogate();
    let compiled = Surrogate::from(Own::default());
    for values in
        [&[0.0][..], &[100.0], &[2.0, 3.0], &[2.0, -1.0], &[1e-60, 0.0], &[1.0, 0.5, f64::NAN], &[3.0]]
    {
        let [a, b] = [compiled, interpreted].map(|surrogate| {
            let surrogate = surrogate.with_parameters(values).unwrap();
            // As text, since NaN is not equal to itself.
            format!("{:?} {:?}", surrogate.validate(), surrogate.validate_in::<f32>())
        });
        assert_eq!(a, b);
    }
    let low = interpreted.with_parameters(&[0.0]).unwrap();
    assert_eq!(
        low.validate(),
        Err(Error::SurrogateParameter { surrogate: "Own", name: "a", expected: "a > 0.0", value: 0.0 })
    );
    assert_eq!(
        interpreted.with_parameters(&[1.0; MAX_PARAMETERS]),
        Err(Error::SurrogateParameters { surrogate: "Own", expected: 3, actual: 4 })
    );
}

#[test]
fn one_definition_for_each_text() {
    let text = "surrogate Steep { param a = 8.0 where a > 0.0; primitive = sigmoid(a * u); }";
    let [a, b] = [(); 2].map(|()| SurrogateDeclaration::parse(text).unwrap());
    assert_eq!(a.surrogate(), b.surrogate());
    assert_eq!((a.declaration(), a.doc()), (text, ""));
    let other = SurrogateDeclaration::parse(&text.replace("8.0", "9.0")).unwrap();
    assert_ne!(a.surrogate(), other.surrogate());
    assert_ne!(a.surrogate(), a.surrogate().with_parameters(&[9.0]).unwrap());
    let documented = SurrogateDeclaration::parse(&format!("/// Steep.\npub {text}")).unwrap();
    assert_eq!(documented.doc(), "Steep.");
    let gradient = Gradient::from(&documented);
    assert_eq!((gradient.surrogate, gradient.detach_reset), (documented.surrogate(), false));
}

/// Registers keep what is the same for all lanes: calls by turns must not get that of one another.
#[test]
fn by_turns_and_on_several_threads() {
    let text = "surrogate A { param a = 1.0; primitive = tanh(a * u); }";
    let a = SurrogateDeclaration::parse(text).unwrap().surrogate();
    let b = SurrogateDeclaration::parse(&text.replace("tanh(a", "sigmoid(a")).unwrap().surrogate();
    let steep = a.with_parameters(&[5.0]).unwrap();
    let values = |u: f64| [a.gradient(u), steep.gradient(u), b.gradient(u), a.primitive(u), b.primitive(u)];
    let expected = [1.0, 5.0, 0.25, 0.0, 0.5];
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(values(0.0), expected);
                    assert_eq!(
                        values(0.0).map(|value| value as f32),
                        [
                            a.gradient_in(0f32),
                            steep.gradient_in(0f32),
                            b.gradient_in(0f32),
                            a.primitive_in(0f32),
                            b.primitive_in(0f32),
                        ]
                    );
                }
            });
        }
    });
}

#[test]
fn all_mistakes_with_their_places() {
    let source = "surrogate A {\n    param alpha = 2.0;\n    primitive = sigmoid(alpah * u) + taw;\n}";
    let mistakes = SurrogateDeclaration::parse(source).unwrap_err();
    let places: Vec<_> = mistakes.problems().iter().map(|it| (it.level, it.line, it.column)).collect();
    assert_eq!(places, [(Level::Error, 3, 25), (Level::Error, 3, 38)]);
    assert!(mistakes.to_string().contains("did you mean `alpha`?"), "{mistakes}");
    for (source, message) in [
        ("", "`surrogate`"),
        ("struct A { charge = x; reset hard; }", "expected `surrogate`, found `struct`"),
        ("surrogate A { primitive = 1.0; }", "0 everywhere"),
        (
            "surrogate A { param a = 1.0; param b = 1.0; param c = 1.0; param d = 1.0; param e = 1.0;
            primitive = sigmoid(a * u) + b + c + d + e; }",
            "at most 4 parameters",
        ),
        (
            "surrogate! { surrogate A { primitive = u; } } surrogate! { surrogate B { primitive = u; } }",
            "one surrogate was expected, 2 are declared",
        ),
        ("surrogate A { primitive = \"u; }", "this is not Rust"),
    ] {
        let mistakes = SurrogateDeclaration::parse(source).unwrap_err();
        assert!(mistakes.problems()[0].message.contains(message), "{source}: {mistakes}");
    }
    let deep = format!("surrogate A {{ primitive = {}u{}; }}", "(".repeat(300), ")".repeat(300));
    assert!(SurrogateDeclaration::parse(&deep).unwrap_err().problems()[0].message.contains("nested"));
}

#[test]
fn what_is_dubious_is_no_mistake() {
    let source = "surrogate A { param a = 1.0; primitive = sigmoid(u / a); }";
    let declaration = SurrogateDeclaration::parse(source).unwrap();
    let [warning] = declaration.warnings() else { panic!("{:?}", declaration.warnings()) };
    assert_eq!((warning.level, warning.line), (Level::Warning, 1));
}

#[test]
fn files_with_both() {
    let source = "neuron! { struct A { charge = x; reset hard; } }\n\
        surrogate! { surrogate S { primitive = tanh(u); } }\n\
        neuron! { struct B { charge = x; reset soft; } }";
    let both = Declarations::parse(source).unwrap();
    let names = both.neurons.iter().map(|neuron| neuron.spec().name);
    assert_eq!(names.collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(both.surrogates[0].surrogate().name(), "S");
    assert_eq!(SurrogateDeclaration::parse(source).unwrap().surrogate().name(), "S");
    let mistakes =
        Declarations::parse(&source.replace("(u)", "(w)").replace("= x; reset soft", "= y; reset soft"));
    let lines: Vec<usize> = mistakes.unwrap_err().problems().iter().map(|it| it.line).collect();
    assert_eq!(lines, [2, 3]);
    // A text without macros is what its first word says.
    assert_eq!(
        Declarations::parse("/// S\npub surrogate S { primitive = tanh(u); }").unwrap().surrogates.len(),
        1
    );
    assert_eq!(Declarations::parse("struct A { charge = x; reset hard; }").unwrap().neurons.len(), 1);
    // What is dubious in either.
    let dubious = "neuron! { struct A { charge = v + ln(x); reset hard; } }
        surrogate! { surrogate S { param a = 1.0; primitive = sigmoid(u / a); } }";
    assert_eq!(Declarations::parse(dubious).unwrap().warnings().count(), 2);
}
