neurons::surrogate! {
    surrogate Steep {
        param alpha = 0.5 where alpha > 1.0;
        param idle = 1.0;
        let near = abs(U) < 1.0;
        primitive = if near { tahn(alpha * u) } else { u^1.5 };
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0, idle: 1.0 });
}
