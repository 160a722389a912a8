//! From text to neurons, and what is wrong with a text. That results are those of compiled neurons is tested in
//! `tests/tests/interpreter.rs`.

use neuron_interpreter::{Declaration, Declarations, Level};
use neuron_runtime::{Array, Error, Gradient, MultiStep, Neuron, Value};

const LEAKY: &str =
    "pub struct Leaky { param tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset hard; }";

#[test]
fn all_mistakes_with_their_places() {
    let source = "struct A {\n    param tau = 2.0;\n    charge = v + (x - v) / taw;\n    reset hrad;\n}";
    let mistakes = Declaration::parse(source).unwrap_err();
    let places: Vec<_> = mistakes.problems().iter().map(|it| (it.level, it.line, it.column)).collect();
    assert_eq!(places, [(Level::Error, 3, 28), (Level::Error, 4, 11)]);
    let [name, reset] = mistakes.problems() else { panic!("{mistakes}") };
    assert_eq!(&source[name.bytes.clone()], "taw");
    assert!(name.hints.iter().any(|hint| hint.contains("`tau`")), "{name:?}");
    assert_eq!(&source[reset.bytes.clone()], "hrad");
    let text = mistakes.to_string();
    for part in ["error: unknown name `taw`", "charge = v + (x - v) / taw;", "^^^", "help: ", "reset hrad;"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn texts_that_declare_no_neuron() {
    for (source, message) in [
        ("", "`struct`"),
        ("struct A { charge = v + x; reset hard;", "this is not Rust"),
        ("struct A { charge = \"v; }", "this is not Rust"),
        (
            "neuron! { struct A { charge = x; reset hard; } } neuron! { struct B { charge = x; reset hard; } }",
            "2",
        ),
    ] {
        let mistakes = Declaration::parse(source).unwrap_err();
        assert!(mistakes.problems()[0].message.contains(message), "{source}: {mistakes}");
        assert!(mistakes.problems()[0].bytes.end <= source.len());
    }
}

#[test]
fn declarations_of_a_file() {
    let source = format!(
        "use neurons::neuron;\nneuron! {{ {LEAKY} }}\nneurons::neuron! {{ struct B {{ charge = x; reset soft; }} }}"
    );
    let names: Vec<_> =
        Declarations::parse(&source).unwrap().neurons.iter().map(|it| it.spec().name).collect();
    assert_eq!(names, ["Leaky", "B"]);
    // Mistakes of all of them.
    let mistakes = Declarations::parse(&source.replace("tau;", "taw;").replace("= x;", "= y;")).unwrap_err();
    let lines: Vec<usize> = mistakes.problems().iter().map(|it| it.line).collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn what_is_dubious_is_no_mistake() {
    let declaration = Declaration::parse("struct A { charge = v + ln(x); reset hard; }").unwrap();
    let [warning] = declaration.warnings() else { panic!("{:?}", declaration.warnings()) };
    assert_eq!((warning.level, warning.line), (Level::Warning, 1));
    assert!(Declaration::parse(LEAKY).unwrap().warnings().is_empty());
}

#[test]
fn one_specification_for_each_text() {
    let [a, b] = [(); 2].map(|()| Declaration::parse(LEAKY).unwrap());
    assert!(std::ptr::eq(a.spec(), b.spec()));
    assert_eq!(a.neuron(), b.neuron());
    let other = Declaration::parse(&LEAKY.replace("tau > 1.0", "tau > 0.5")).unwrap();
    assert_ne!(a.neuron(), other.neuron());
    let mut changed = a.neuron();
    changed.set("tau", Value::Real(3.0)).unwrap();
    assert_ne!(changed, a.neuron());
    let boxed: Box<dyn Neuron> = Box::new(changed.clone());
    assert!(*boxed.clone() == *boxed && boxed.downcast_ref() == Some(&changed));
}

#[test]
fn refused_like_a_compiled_neuron() {
    let mut neuron = Declaration::parse(LEAKY).unwrap().neuron();
    neuron.set("tau", Value::Real(1.0)).unwrap();
    let refused = MultiStep::new(neuron, Gradient::default())
        .inference(&Array::<f32>::zeros([3, 2]), &Array::zeros([2]))
        .unwrap_err();
    assert_eq!(
        refused,
        Error::ParameterRange { neuron: "Leaky", name: "tau", value: 1.0, expected: "tau > 1.0" }
    );
}

/// What one state gets of another is its value before the step.
#[test]
fn states_that_change_places() {
    let source = "struct A { state a = 1.0; state b = 2.0; state c = 3.0; charge = v + x + a + b + c;
        update a = b; update b = c; update c = a; reset none; }";
    let neuron = Declaration::parse(source).unwrap().neuron();
    let states = neuron.initial_state().into_iter().map(|value| Array::full([1], value as f32));
    let states: Vec<Array<f32>> = states.collect();
    let operation = MultiStep::new(neuron, Gradient::default());
    let stepped =
        operation.inference_all(&[&Array::<f32>::zeros([2, 1])], &states.iter().collect::<Vec<_>>()).unwrap();
    let after: Vec<f32> = stepped.states.iter().flat_map(|state| state.to_vec().unwrap()).collect();
    assert_eq!(after, [12.0, 3.0, 1.0, 2.0]);
}

#[test]
fn neurons_are_sent_and_shared() {
    fn assert<T: Send + Sync + 'static>(_: &T) {}
    let declaration = Declaration::parse(LEAKY).unwrap();
    assert(&declaration);
    assert(&declaration.neuron());
    assert(&Declaration::parse("").unwrap_err());
}

/// What reads tokens calls itself for each bracket: the process would end when the stack is full.
#[test]
fn brackets_may_not_be_nested_too_deep() {
    let source = |depth: usize| {
        format!("struct A {{ charge = v + {}x{}; reset hard; }}", "(".repeat(depth), ")".repeat(depth))
    };
    assert!(Declaration::parse(&source(20)).is_ok());
    for depth in [100, 255, 20_000] {
        let mistakes = Declaration::parse(&source(depth)).unwrap_err();
        assert!(mistakes.problems()[0].message.contains("nested"), "{mistakes}");
    }
}
