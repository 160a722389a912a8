//! What is answered about declarations.

use serde_json::{Value, json};

use crate::{LIF, Server, question};

const EVERYTHING: [&str; 8] = ["equations", "trace", "fi", "phase", "surrogate", "gradient", "rust", "cuda"];

/// An SVG without coordinates that are none.
fn is_picture(picture: &Value) -> bool {
    let svg = picture["svg"].as_str().unwrap_or_default();
    svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && !svg.contains("NaN")
}

#[test]
fn every_neuron_is_shown() {
    let server = Server::start();
    let menu: Value = serde_json::from_str(&server.get("/neurons.json").body).unwrap();
    for start in menu["neurons"].as_array().unwrap() {
        let (name, text) = (&start["name"], start["text"].as_str().unwrap());
        let answer = server.ask(&question(text, &EVERYTHING));
        assert_eq!(answer["neuron"]["name"], *name, "{answer}");
        assert_eq!((&answer["refused"], &answer["problems"]), (&Value::Null, &json!([])), "{name}");
        for kind in ["trace", "fi", "gradient", "surrogate"] {
            assert!(is_picture(&answer["pictures"][kind]), "{name} {kind}");
        }
        let phase = &answer["pictures"]["phase"];
        let missing = phase["missing"].as_str();
        assert!(is_picture(phase) || missing.is_some_and(|why| why.contains("has only v")), "{name}");
        for rows in ["equations", "derivatives"] {
            for row in answer[rows].as_array().unwrap() {
                for side in ["left", "right"] {
                    assert!(row[side].as_str().unwrap().starts_with("<math"), "{name}: {row}");
                }
            }
        }
        assert!(answer["code"]["rust"].as_str().unwrap().contains("pub fn "), "{name}");
        assert!(answer["code"]["cuda"].as_str().unwrap().contains("__global__"), "{name}");
        for param in answer["neuron"]["params"].as_array().unwrap() {
            let [low, value, high] = ["low", "value", "high"].map(|field| param[field].as_f64().unwrap());
            assert!(low <= value && value <= high && low < high, "{name} {param}");
        }
    }
}

#[test]
fn mistakes_have_places_and_hints() {
    let server = Server::start();
    // Columns count characters, offsets UTF-16: the emoji is one of the former and two of the latter.
    let text = "neuron! { struct A {\n  /* 😀 */ charge = v + x + v_treshold; reset hard;\n} }";
    let answer = server.ask(&question(text, &EVERYTHING));
    let problem = &answer["problems"][0];
    assert_eq!(answer["problems"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(28)));
    let units: Vec<u16> = text.encode_utf16().collect();
    let [start, end] = ["start", "end"].map(|field| problem[field].as_u64().unwrap() as usize);
    assert_eq!(String::from_utf16(&units[start..end]).unwrap(), "v_treshold");
    assert!(problem["hints"][0].as_str().unwrap().contains("`v_threshold`"), "{problem}");
    assert!(problem["rendered"].as_str().unwrap().contains("^^^^^^^^^^"), "{problem}");
    assert_eq!((&answer["neuron"], &answer["pictures"]), (&Value::Null, &json!({})));
}

#[test]
fn warnings_do_not_hide_the_neuron() {
    let answer = Server::start().ask(&question("struct A { charge = ln(v) + x; reset hard; }", &["trace"]));
    assert_eq!(answer["problems"][0]["level"], "warning");
    assert!(is_picture(&answer["pictures"]["trace"]), "{answer}");
}

#[test]
fn values_change_the_picture() {
    let server = Server::start();
    let trace = |values: Value| {
        let mut question = question(LIF, &["trace"]);
        question.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
        let answer = server.ask(&question);
        assert!(is_picture(&answer["pictures"]["trace"]), "{answer}");
        answer
    };
    let plain = trace(json!({}));
    assert!(plain["amplitude"].is_f64() && plain["steps"].is_u64());
    for values in [
        json!({ "set": { "tau": 20 } }),
        json!({ "set": { "slow": true } }),
        json!({ "reset": "soft" }),
        json!({ "amplitude": -2.5 }),
        json!({ "steps": 77 }),
        json!({ "input": "ramp" }),
        json!({ "input": { "noise": 3 } }),
        json!({ "input": { "drawn": [0, 1, 2, -1] } }),
        json!({ "widths": { "trace": 400 } }),
    ] {
        assert_ne!(plain["pictures"], trace(values.clone())["pictures"], "{values}");
    }
    // Of an earlier state of the text.
    for values in
        [json!({ "set": { "gone": 3 } }), json!({ "set": { "tau": true } }), json!({ "reset": "none" })]
    {
        assert_eq!(plain["pictures"], trace(values.clone())["pictures"], "{values}");
    }
}

#[test]
fn the_states_of_the_phase_plane() {
    let server = Server::start();
    let text = "struct A { state a = 0.0; state b = 0.0; charge = v + (x - v) / 5.0 - a; \
        update a = 0.9 * a + spike; update b = 0.8 * b + a; reset hard; }";
    let ask = |axes: Value| {
        let mut question = question(text, &["phase"]);
        question.as_object_mut().unwrap().insert("axes".to_owned(), axes);
        let answer = server.ask(&question);
        assert_eq!(answer["neuron"]["states"], json!(["v", "a", "b"]));
        answer["pictures"]["phase"]["svg"].as_str().unwrap().to_owned()
    };
    let plain = ask(Value::Null);
    assert!(plain.contains("v stays") && plain.contains("a stays"), "{plain}");
    let others = ask(json!(["a", "b"]));
    assert!(others.contains("a stays") && others.contains("b stays"), "{others}");
    // Of an earlier state of the text.
    assert_eq!(ask(json!(["a", "gone"])), plain);
}

#[test]
fn surrogates_of_the_text() {
    let server = Server::start();
    let text = "neuron! { struct A { charge = v + x; reset hard; } }
        surrogate! { surrogate ATan { param a = 8.0 where a > 0.0; primitive = sigmoid(a * u); } }";
    let ask = |surrogate: Value| {
        let mut question = question(text, &["surrogate", "gradient"]);
        question.as_object_mut().unwrap().insert("surrogate".to_owned(), surrogate);
        server.ask(&question)
    };
    let answer = ask(json!({ "name": "ATan", "values": [9] }));
    assert_eq!(answer["surrogates"], json!([{ "name": "ATan", "params": [["a", 8.0, "a > 0.0"]] }]));
    assert_eq!((&answer["refused"], &answer["names"]), (&Value::Null, &json!(["A"])), "{answer}");
    for kind in ["surrogate", "gradient"] {
        assert!(is_picture(&answer["pictures"][kind]), "{answer}");
    }
    // Its own comes before that of the library.
    assert!(answer["pictures"]["surrogate"]["svg"].as_str().unwrap().contains("a = 9"), "{answer}");
    let refused = ask(json!({ "name": "ATan", "values": [-1] }));
    assert!(
        refused["refused"].as_str().unwrap().contains("`a` is -1, but must satisfy `a > 0.0`"),
        "{refused}"
    );
    assert!(is_picture(&ask(json!({ "name": "Sigmoid" }))["pictures"]["surrogate"]));
    let alone = server.ask(&question("surrogate A { primitive = tanh(u); }", &EVERYTHING));
    assert_eq!(alone["problems"], json!([]));
    assert!(alone["refused"].as_str().unwrap().contains("none is declared"), "{alone}");
    let mistaken = server.ask(&question(&text.replace("sigmoid(a", "sigmoid(b"), &EVERYTHING));
    assert_eq!(mistaken["problems"][0]["line"], 2, "{mistaken}");
}

#[test]
fn values_out_of_range_are_refused() {
    let server = Server::start();
    for (values, expected) in [
        (json!({ "set": { "tau": 0.5 } }), "parameter `tau` is 0.5, but must satisfy `tau > 1.0`"),
        (json!({ "steps": 1_000_000 }), "expected 2 to 20000 steps, found 1000000"),
        (json!({ "amplitude": 1e300 }), "expected an amplitude within float32"),
        (json!({ "input": { "drawn": [] } }), "expected points, found none"),
        (json!({ "input": { "drawn": vec![0; 5000] } }), "at most 1000 points, found 5000"),
        (json!({ "surrogate": { "name": "Nothing" } }), "Nothing"),
        (json!({ "surrogate": { "name": "ATan", "values": [-1] } }), "alpha"),
        (json!({ "surrogate": { "name": "ATan", "values": [1, 2, 3] } }), "ATan"),
        (json!({ "shown": ["trace"] }), "unknown field `shown`"),
    ] {
        let mut question = question(LIF, &["trace"]);
        question.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
        let answer = server.ask(&question);
        let refused = answer["refused"].as_str().unwrap_or_default();
        assert!(refused.contains(expected), "{values}: {answer}");
        assert_eq!(answer["pictures"], json!({}));
        // A slider can still be moved back.
        let params = answer["neuron"]["params"].as_array().into_iter().flatten();
        assert!(params.into_iter().all(|param| param["low"].as_f64() < param["high"].as_f64()), "{answer}");
    }
}

#[test]
fn one_of_several_neurons() {
    let server = Server::start();
    let text = "neuron! { struct A { charge = v + x; reset hard; } }
        neuron! { struct B { state w = 0.0; charge = v + x - w; update w = 0.9 * w + spike; reset hard; } }";
    for (asked, expected) in [(json!("B"), "B"), (json!("C"), "A"), (Value::Null, "A")] {
        let answer = server.ask(&json!({ "text": text, "neuron": asked, "show": ["trace"] }));
        assert_eq!((&answer["neuron"]["name"], &answer["names"]), (&json!(expected), &json!(["A", "B"])));
    }
}
