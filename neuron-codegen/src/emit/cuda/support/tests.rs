use neuron_abi::kernel;

use super::*;
use crate::check::analyse;
use crate::gradient::Derived;

/// Names by which other text refers to what a part defines. Functions of `math` are found by their calls.
fn names(part: Part) -> &'static [&'static str] {
    match part {
        Formats => &["u16", "u32", "u64", "acc_t", "scalar_t", "SYMBOL"],
        Steps => &["STEPS"],
        Threads => &["THREADS"],
        Word => &["WORD"],
        SurrogateParameters => &["SURROGATE_PARAMETERS"],
        SumRows => &["SUM_ROWS"],
        SumParameters => &["SUM_PARAMETERS"],
        SumSegment => &["SUM_SEGMENT"],
        LanesUpTo2 => &["LANES_UP_TO_2"],
        LanesPer8Bytes => &["LANES_PER_8_BYTES"],
        LanesPer4Bytes => &["LANES_PER_4_BYTES"],
        Min2Blocks => &["MIN_2_BLOCKS_PER_SM"],
        Min3Or4Blocks => &["MIN_3_OR_4_BLOCKS_PER_SM"],
        Min4Blocks => &["MIN_4_BLOCKS_PER_SM"],
        Lanes => &["UNROLL", "FOR_LANES", "thread_index"],
        Chunk => &["HALF_CHUNK", "chunk_count", "Chunk"],
        Tile => &["Packed", "Tile"],
        Optional => &["load_or", "store_if"],
        GradientSum => &["opaque", "GradientSum"],
        Stage => &["STAGE_MEMORY", "copy_async", "wait_for_copies", "Stage"],
        Groups => &["CHUNKS_PER_GROUP", "CHUNKS_PER_HALF_GROUP", "neuron_of_thread", "Groups", "Group"],
        Scan => &["WARPS_PER_SCAN", "WARPS_PER_HALF_SCAN", "Scan", "Map", "Maps"],
        Words => &["ballot", "word_count"],
        WarpTile => &["WarpTile"],
        ParamArray => &["ParamArray", "ParamPlace"],
        Min => &["min("],
        Max => &["max("],
        Bounded => &["bounded("],
        Reciprocal => &["reciprocal("],
        Abs => &["abs("],
        Sqrt => &["sqrt("],
        Round => &["round("],
        Floor => &["floor("],
        Trunc => &["trunc("],
        PowerOfTwo => &["power_of_two("],
        Exponent => &["Exponent"],
        Exp => &["exp("],
        Expm1 => &["expm1("],
        Exprel => &["exprel("],
        ExprelSlope => &["exprel_slope("],
        Logarithm => &["split(", "logarithm("],
        Ln => &["ln("],
        Log1p => &["log1p("],
        Tanh => &["tanh("],
        Atan => &["atan("],
        Erf => &["erf("],
        Reduced => &["reduced("],
        Sin => &["sin("],
        Cos => &["cos("],
        Sigmoid => &["sigmoid("],
        SurrogateGradient => &["SurrogateGradient"],
        Surrogates => &["SURROGATES"],
        Apply => &["apply("],
        Pack => &["KERNEL(pack_spikes)", "KERNEL(unpack_spikes)"],
        Sums => &["KERNEL(sum_rows)", "KERNEL(sum_segments)"],
    }
}

/// The parts that `text` refers to.
fn used(text: &str) -> BTreeSet<Part> {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code: String = lines.collect::<Vec<_>>().join("\n");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_used = |name: &str| {
        code.match_indices(name).any(|(start, _)| {
            let (before, after) = (&code[..start], &code[start + name.len()..]);
            // `::exp(x)` is CUDA's.
            let is_cuda = before.strip_suffix("::").is_some_and(|outer| !outer.ends_with(is_word));
            let is_whole = !before.ends_with(is_word) && (name.ends_with('(') || !after.starts_with(is_word));
            is_whole && !(name.ends_with('(') && is_cuda)
        })
    };
    Part::ALL.iter().copied().filter(|part| names(*part).iter().any(|name| is_used(name))).collect()
}

#[test]
fn parts_need_what_they_use() {
    for &part in Part::ALL {
        let mut used = used(&part.text());
        assert!(used.remove(&part), "{part:?} defines what it is known by");
        assert_eq!(used, part.needs().iter().copied().collect(), "{part:?}");
        assert!(part.needs().iter().all(|need| *need < part), "{part:?} comes after what it needs");
    }
}

#[test]
fn a_source_has_the_parts_that_its_kernels_use() {
    for text in [
        "pub struct Plain { param tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset hard | soft; }",
        "pub struct Wavy { array w = 2.0; charge = erf(v) + x * sin(w * x); reset soft; }",
        "pub struct Readout { learnable k = 0.0; charge = v + sigmoid(k) * x; output = h; }",
    ] {
        let analysis = analyse(text.parse().unwrap());
        assert!(analysis.report.is_empty(), "{:?}", analysis.report);
        let mut derived = Derived::new(analysis.model.expect("a declaration without errors is a model"));
        let programs = crate::kernel::programs(&mut derived);
        let expected = closure(used(&super::super::kernels(&derived, &programs)));
        assert_eq!(closure(super::super::parts(&derived, &programs)), expected, "{text}");
    }
}

#[test]
fn kernels_have_the_shared_names() {
    for (part, name) in [
        (Sums, kernel::SUM_ROWS),
        (Sums, kernel::SUM_SEGMENTS),
        (Pack, kernel::PACK_SPIKES),
        (Pack, kernel::UNPACK_SPIKES),
    ] {
        assert!(part.text().contains(&format!("KERNEL({name})(")), "{name}");
    }
    for format in Format::ALL {
        let symbol = kernel::symbol("neuron##", "##name##", format);
        assert!(Formats.text().contains(&format!("#define SYMBOL(neuron, name) {symbol}\n")), "{symbol}");
    }
}

/// The text distinguishes float64 and, where staging is concerned, formats of 16 bits.
#[test]
fn formats_that_the_text_does_not_distinguish_have_the_same_schedule() {
    for format in [Format::F32, Format::F16, Format::Bf16] {
        for blocks in [Blocks::Two, Blocks::Four] {
            assert_eq!(blocks.count(format), blocks.count(Format::F32));
        }
    }
    assert_eq!(Blocks::ThreeOrFour.count(Format::F16), Blocks::ThreeOrFour.count(Format::Bf16));
    for format in Format::ALL {
        let is_half = matches!(format, Format::F16 | Format::Bf16);
        assert_eq!(Width::Turns.lanes().of(format) > 1, is_half, "stages of {format} are in shared memory");
    }
}
