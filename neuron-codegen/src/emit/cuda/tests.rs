//! The support code is text, and has to say what the vocabulary and the schedule say.

use neuron_abi::{Format, STEPS, SUM_ROWS, SUM_SEGMENT, SURROGATE_PARAMETERS, THREADS, WORD, kernel};

use super::*;
use crate::schedule::Width;

/// The support code is text; the runtime counts with the same numbers.
#[test]
fn support_code_has_the_shared_sizes() {
    for (text, has) in [
        (PRELUDE, format!("\n#define STEPS {STEPS}\n")),
        (PRELUDE, format!("\n#define THREADS {THREADS}\n")),
        (PRELUDE, format!("(bits + {}) / {WORD};", WORD - 1)),
        (PRELUDE, format!("real parameters[{SURROGATE_PARAMETERS}];")),
        (SUMS, format!("/ columns * {SUM_ROWS};")),
        (SUMS, format!("row < first + {SUM_ROWS};")),
        (SUMS, format!("% segments * {SUM_SEGMENT};")),
        (SUMS, format!("first + {SUM_SEGMENT} < inner ? first + {SUM_SEGMENT} : inner;")),
        (SUMS, format!("double lanes[{THREADS}];")),
        (SUMS, format!("at += {THREADS}) {{")),
        (SUMS, format!("half = {};", THREADS / 2)),
        (BITS, format!("thread_index() / {WORD};")),
    ] {
        assert!(text.contains(&has), "{has}");
    }
}

#[test]
fn support_code_has_the_shared_names() {
    for (text, name) in [
        (SUMS, kernel::SUM_ROWS),
        (SUMS, kernel::SUM_SEGMENTS),
        (SUMS, kernel::ROUND_SUMS),
        (BITS, kernel::PACK_SPIKES),
        (BITS, kernel::UNPACK_SPIKES),
    ] {
        assert!(text.contains(&format!("KERNEL({name})(")), "{name}");
    }
    for format in Format::ALL {
        let symbol = kernel::symbol("neuron##", "##name##", format);
        assert!(PRELUDE.contains(&format!("#define NAMED(neuron, name) {symbol}\n")), "{symbol}");
    }
}

#[test]
fn support_code_has_the_lanes_of_every_format() {
    let define = |format| {
        let line = |width: Width| format!("#define {} {}\n", width.name(), width.lanes().of(format));
        [Width::Pair, Width::Wide, Width::Turns].map(line).concat()
    };
    let text = format!(
        "#if defined(F64)\n{}#elif defined(F16) || defined(BF16)\n{}#else\n{}#endif\n",
        define(Format::F64),
        define(Format::F16),
        define(Format::F32),
    );
    assert!(PRELUDE.contains(&text), "{text}");
}

#[test]
fn support_code_has_the_bounds_of_every_format() {
    let define = |format| {
        let line = |blocks: Blocks| match blocks.count(format) {
            None => format!("#define {}\n", blocks.name()),
            Some(count) => format!("#define {} __launch_bounds__(THREADS, {count})\n", blocks.name()),
        };
        [Blocks::Two, Blocks::Four].map(line).concat()
    };
    for half in [Format::F16, Format::Bf16] {
        assert_eq!(define(half), define(Format::F32));
    }
    let text = format!("#if defined(F64)\n{}#else\n{}#endif\n", define(Format::F64), define(Format::F32));
    assert!(PRELUDE.contains(&text), "{text}");
}
