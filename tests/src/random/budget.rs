//! Declarations that grow in one direction, to see that what is generated of them does not explode.

use super::ast::{
    After, Binary, Compare, Cond, Declaration, Expr, Firing, Let, Param, ParamKind, Reset, State, Value,
};

/// Declarations with what is large in them.
pub fn declarations() -> Vec<(&'static str, Declaration)> {
    vec![
        ("16 `let`s that square the one before", squares(16)),
        ("200 `let`s that square the one before", squares(200)),
        ("2000 `let`s that square the one before", squares(2000)),
        ("4 conditions around a division", guarded(4)),
        ("16 conditions around a division", guarded(16)),
        ("64 states", states(64)),
    ]
}

fn base(charge: Expr) -> Declaration {
    let built_in = |name: &str, default: f64| Param {
        is_declared: false,
        kind: ParamKind::Scalar,
        name: name.to_owned(),
        default: Expr::Number(default),
        conditions: Vec::new(),
    };
    Declaration {
        name: "Large".to_owned(),
        params: vec![built_in("v_threshold", 1.0), built_in("v_reset", 0.0)],
        flags: Vec::new(),
        inputs: vec!["x".to_owned()],
        initial_v: None,
        states: Vec::new(),
        lets: Vec::new(),
        charge,
        firing: Some(Firing::Threshold(None)),
        output: None,
        after: After::Resets(vec![Reset::Hard]),
        order: None,
    }
}

fn binary(op: Binary, a: Expr, b: Expr) -> Expr {
    Expr::Binary(op, Box::new(a), Box::new(b))
}

fn squares(count: usize) -> Declaration {
    let mut declaration = base(binary(Binary::Add, Expr::State(0), Expr::Let(count - 1)));
    let square = |i: usize| match i {
        0 => Expr::Call(super::ast::Function::Tanh, Box::new(Expr::Input(0))),
        _ => binary(Binary::Mul, Expr::Let(i - 1), Expr::Let(i - 1)),
    };
    declaration.lets =
        (0..count).map(|i| Let { name: format!("l{i}"), value: Value::Number(square(i)) }).collect();
    declaration
}

/// `if v > 0.0 && x > 0.1 && .. { x / v } else { x }`, which asks what is known of `v` there.
fn guarded(count: usize) -> Declaration {
    let condition = |i: usize| {
        let (a, b) = (Expr::State(0), Expr::Input(0));
        let a = if i == 0 { a } else { binary(Binary::Add, a, b) };
        Cond::Compare(Compare::Greater, Box::new(a), Box::new(Expr::Number(i as f64 / 10.0)))
    };
    let conditions = (1..count).fold(condition(0), |all, i| Cond::And(Box::new(all), Box::new(condition(i))));
    let quotient = binary(Binary::Div, Expr::Input(0), Expr::State(0));
    base(Expr::If(Box::new(conditions), Box::new(quotient), Box::new(Expr::Input(0))))
}

/// Each follows the one before.
fn states(count: usize) -> Declaration {
    let mut declaration = base(binary(Binary::Add, Expr::State(count), Expr::Input(0)));
    declaration.states = (0..count)
        .map(|i| {
            let half = binary(Binary::Mul, Expr::Number(0.5), Expr::State(i + 1));
            let update = binary(Binary::Add, half, Expr::State(i));
            State { name: format!("q{i}"), initial: Expr::Number(0.0), update }
        })
        .collect();
    declaration
}
