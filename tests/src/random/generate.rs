//! Declarations at random: well-typed, and tame enough that most sequences stay finite, but not all.

mod equations;
mod expression;

use std::ops::Range;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ast::{
    After, Binary, Compare, Cond, Declaration, Expr, Firing, Flag, Let, Param, ParamKind, Reset, State,
    V_RESET, V_THRESHOLD, Value,
};
use super::usage::Level;
use expression::{Source, binary, number};

/// The declaration number `seed`: the same in every run.
pub fn declaration(seed: u64) -> Declaration {
    // Few draws fail the language's conditions, and then another one does not.
    (0u64..)
        .map(|attempt| {
            draw(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ attempt))
        })
        .find(|declaration| declaration.check().is_ok())
        .expect("there are many declarations")
}

/// What is given names: those that neither language has another use for.
fn names(prefix: &str, count: usize) -> impl Iterator<Item = String> + use<'_> {
    (0..count).map(move |i| format!("{prefix}{i}"))
}

fn draw(rng: &mut ChaCha8Rng) -> Declaration {
    let mut declaration = Declaration {
        name: "Random".to_owned(),
        params: vec![built_in("v_threshold", 1.0), built_in("v_reset", 0.0)],
        flags: names("f", few(rng, 2)).map(|name| Flag { name, default: rng.random() }).collect(),
        inputs: match few(rng, 2) {
            0 => vec!["x".to_owned()],
            count => names("i", count + usize::from(rng.random_bool(0.3))).collect(),
        },
        initial_v: None,
        states: Vec::new(),
        lets: Vec::new(),
        charge: Expr::Number(0.0),
        firing: None,
        output: None,
        after: After::Charged,
        order: rng.random_bool(0.3).then(|| rng.random()),
    };
    restate_built_in(rng, &mut declaration);
    for name in names("p", few(rng, 4)) {
        let param = param(rng, &declaration, name);
        declaration.params.push(param);
    }
    // Declared first so that everything may use them.
    for name in names("q", few(rng, 3)) {
        let initial = initial(rng, &declaration);
        declaration.states.push(State { name, initial, update: Expr::Number(0.0) });
    }
    declaration.initial_v = rng.random_bool(0.2).then(|| initial(rng, &declaration));
    let fires = rng.random_bool(0.8);
    let late = if fires { Level::Spiked } else { Level::Charged };
    // What the spike may use comes before it, since what uses the spike depends on whether it is a condition.
    let count = few(rng, 5);
    let early = rng.random_range(0..=count);
    add_lets(rng, &mut declaration, 0..early, &[Level::Early, Level::Early, Level::Charged]);
    if fires {
        declaration.firing = Some(firing(rng, &declaration));
    }
    add_lets(rng, &mut declaration, early..count, &[Level::Early, Level::Charged, late]);
    declaration.charge = Source::new(rng, &declaration, Level::Early).charge();
    for i in 0..declaration.states.len() {
        let update = Source::new(rng, &declaration, late).update(i + 1);
        declaration.states[i].update = update;
    }
    let is_written = matches!(declaration.firing, Some(Firing::Spike(_)));
    if !fires || (is_written && rng.random_bool(0.3)) {
        declaration.output = Some(Source::new(rng, &declaration, late).output());
    }
    declaration.after = after(rng, &declaration);
    declaration.tidy();
    declaration
}

/// Named expressions, each for a place of one of `levels`.
fn add_lets(rng: &mut ChaCha8Rng, declaration: &mut Declaration, places: Range<usize>, levels: &[Level]) {
    for place in places {
        let level = *levels.choose(rng).expect("some");
        let mut source = Source::new(rng, declaration, level);
        let value = if source.rng.random_bool(0.2) {
            Value::Condition(source.compound(2))
        } else {
            Value::Number(source.named())
        };
        declaration.lets.push(Let { name: format!("l{place}"), value });
    }
}

/// 0 to `most`, mostly few.
fn few(rng: &mut ChaCha8Rng, most: usize) -> usize {
    rng.random_range(0..=most).min(rng.random_range(0..=most + 1))
}

fn built_in(name: &str, default: f64) -> Param {
    Param {
        is_declared: false,
        kind: ParamKind::Scalar,
        name: name.to_owned(),
        default: Expr::Number(default),
        conditions: Vec::new(),
    }
}

fn kind_of_param(rng: &mut ChaCha8Rng) -> ParamKind {
    *[ParamKind::Scalar, ParamKind::Scalar, ParamKind::Array, ParamKind::Learnable].choose(rng).expect("some")
}

/// Another default, range or kind for the parameters that every neuron has.
fn restate_built_in(rng: &mut ChaCha8Rng, declaration: &mut Declaration) {
    for (i, least) in [(V_THRESHOLD, 0.0), (V_RESET, -2.0)] {
        if rng.random_bool(0.7) {
            continue;
        }
        let param = &mut declaration.params[i];
        param.is_declared = true;
        param.kind = kind_of_param(rng);
        let default = if i == V_THRESHOLD { rng.random_range(0.3..1.5) } else { rng.random_range(-0.5..0.3) };
        param.default = number(rounded(default));
        if rng.random_bool(0.5) {
            param.conditions = vec![compare(Compare::Greater, Expr::Param(i), number(least))];
        }
    }
}

/// With two digits, as people write them.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn compare(op: Compare, a: Expr, b: Expr) -> Cond {
    Cond::Compare(op, Box::new(a), Box::new(b))
}

fn param(rng: &mut ChaCha8Rng, declaration: &Declaration, name: String) -> Param {
    let own = declaration.params.len();
    let mut default = number(rounded(rng.random_range(-0.5..2.5)));
    let others: Vec<usize> = (V_RESET + 1..own).collect();
    match rng.random_range(0..8) {
        0 => default = binary(Binary::Div, number(4.0), number(3.0)),
        1 => {
            if let Some(&other) = others.choose(rng) {
                default = binary(Binary::Mul, number(0.5), Expr::Param(other));
            }
        }
        2 => default = Expr::Call(super::ast::Function::Exp, Box::new(number(-0.5))),
        _ => {}
    }
    let this = Expr::Param(own);
    let mut conditions = Vec::new();
    for _ in 0..few(rng, 2) {
        conditions.push(match rng.random_range(0..8) {
            0 => compare(Compare::Greater, this.clone(), number(0.0)),
            1 => compare(Compare::GreaterEqual, this.clone(), number(-1.0)),
            2 => compare(Compare::Less, this.clone(), number(8.0)),
            // Powers and functions in ranges.
            3 => compare(Compare::Less, Expr::Power(Box::new(this.clone()), 2), number(9.0)),
            4 => compare(
                Compare::Less,
                Expr::Call(super::ast::Function::Exp, Box::new(this.clone())),
                number(20.0),
            ),
            5 => compare(Compare::NotEqual, this.clone(), number(0.5)),
            6 => Cond::Or(
                Box::new(compare(Compare::Greater, this.clone(), number(0.1))),
                Box::new(compare(Compare::LessEqual, this.clone(), Expr::Param(V_RESET))),
            ),
            _ => match others.choose(rng) {
                Some(&other) => compare(
                    Compare::Greater,
                    binary(Binary::Add, this.clone(), Expr::Param(other)),
                    number(-3.0),
                ),
                None => compare(Compare::Greater, this.clone(), number(-3.0)),
            },
        });
    }
    let mut param =
        Param { is_declared: true, kind: kind_of_param(rng), name, default, conditions: Vec::new() };
    // Those that hold for the default.
    let mut with = declaration.clone();
    with.params.push(param.clone());
    with.flags.clear();
    conditions.retain(|condition| {
        with.params[own].conditions = vec![condition.clone()];
        let Ok(values) = with.defaults() else { return false };
        let neuron = super::evaluate::Neuron {
            declaration: &with,
            params: &values,
            flags: &[],
            mode: super::usage::PLAIN,
        };
        neuron.holds(condition) == Ok(true)
    });
    param.conditions = conditions;
    param
}

fn initial(rng: &mut ChaCha8Rng, declaration: &Declaration) -> Expr {
    let param = |rng: &mut ChaCha8Rng| Expr::Param(rng.random_range(0..declaration.params.len()));
    match rng.random_range(0..8) {
        0..4 => number([0.0, 0.25, 1.0, -0.5][rng.random_range(0..4)]),
        4 => param(rng),
        5 => Expr::Power(Box::new(param(rng)), 2),
        6 => Source::new(rng, declaration, Level::Constant).bounded(2),
        _ => binary(Binary::Sub, param(rng), number(0.5)),
    }
}

fn firing(rng: &mut ChaCha8Rng, declaration: &Declaration) -> Firing {
    match rng.random_range(0..10) {
        0..4 => Firing::Threshold(None),
        4..6 => Firing::Threshold(Some(Source::new(rng, declaration, Level::Early).threshold())),
        _ => Firing::Spike(Source::new(rng, declaration, Level::Charged).spike()),
    }
}

fn after(rng: &mut ChaCha8Rng, declaration: &Declaration) -> After {
    if !declaration.fires() {
        let update = rng.random_bool(0.5).then(|| Source::new(rng, declaration, Level::Charged).update(0));
        return update.map_or(After::Charged, After::Update);
    }
    if rng.random_bool(0.3) {
        return After::Update(Source::new(rng, declaration, Level::Spiked).reset());
    }
    let mut resets = vec![Reset::Hard, Reset::Soft, Reset::None];
    if declaration.has_count() {
        resets.remove(0);
    }
    resets.shuffle(rng);
    resets.truncate(1 + few(rng, 2));
    After::Resets(resets)
}
