//! What documentation says about quantities: a line for tables, units for axes.

use neuron_runtime::Spec;

/// The first sentence or paragraph of a doc comment as plain text.
pub fn summary(doc: &str) -> String {
    plain(&paragraph(doc))
}

/// The first paragraph of a doc comment on one line.
pub fn paragraph(doc: &str) -> String {
    doc.lines().map(str::trim).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Text without the links and quotes of Markdown.
pub fn plain(text: &str) -> String {
    unlinked(text).replace(['`', '*'], "")
}

/// Markdown with the text of links in place of links.
pub fn unlinked(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        let parts = link.split_once("](").and_then(|(text, target)| Some((text, target.split_once(')')?.1)));
        match parts {
            Some((text, after)) if !text.contains(']') => {
                plain.push_str(text);
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain + rest
}

/// The unit in a doc comment, between a comma and the end of what it says: `mV` of `Threshold, mV.`
pub fn unit(doc: &str) -> Option<&str> {
    let lines = doc.lines().take_while(|line| !line.trim().is_empty());
    let parts = lines.flat_map(|line| line.split(['.', ':', ';']));
    parts.filter_map(|part| Some(part.rsplit_once(", ")?.1.trim())).find(|unit| is_unit(unit))
}

/// An SI unit, with or without a prefix, or one over it.
fn is_unit(text: &str) -> bool {
    let text = text.strip_prefix("1/").unwrap_or(text);
    ["Hz", "Ohm", "s", "V", "A", "S", "F"].iter().any(|base| {
        text.strip_suffix(base)
            .is_some_and(|prefix| prefix.is_empty() || ["k", "M", "m", "µ", "n", "p"].contains(&prefix))
    })
}

/// A quantity's name and unit: `v (mV)`.
pub fn label(name: &str, unit: Option<&str>) -> String {
    unit.map_or_else(|| name.to_owned(), |unit| format!("{name} ({unit})"))
}

/// The documentation of a parameter.
fn param(spec: &Spec, name: &str) -> Option<&'static str> {
    spec.params.iter().find(|param| param.name == name).map(|param| param.doc)
}

/// What a short doc comment calls a quantity: `adaptation current` of `Adaptation current, pA.`
pub fn name(doc: &str) -> Option<String> {
    let sentence = summary(doc);
    let name = sentence.split([',', '.', ':', ';']).next()?;
    let mut letters = name.chars();
    let first = letters.next().filter(|_| name.chars().count() <= 40)?;
    Some(first.to_lowercase().chain(letters).collect())
}

/// The unit of a state; that of the membrane potential is the threshold's.
pub fn of_state(spec: &Spec, name: &str) -> Option<&'static str> {
    if name == "v" {
        return param(spec, "v_threshold").and_then(unit);
    }
    spec.states.iter().find(|state| state.name == name).and_then(|state| unit(state.doc))
}

/// The unit of the time step, if the neuron has one: a parameter `dt` whose documentation says it.
pub fn of_time(spec: &Spec) -> Option<&'static str> {
    param(spec, "dt").and_then(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_end_a_comment() {
        assert_eq!(unit("Membrane capacitance, pF."), Some("pF"));
        assert_eq!(
            unit("Reset potential, and the membrane potential before the first step, mV."),
            Some("mV")
        );
        assert_eq!(unit("Rate of recovery, 1/ms."), Some("1/ms"));
        assert_eq!(unit("Membrane time constant, in steps."), None);
        assert_eq!(unit("Gate of the decay: 1 exponential, 0 linear too."), None);
        assert_eq!(unit("Where a spike is counted, mV: it has taken over."), Some("mV"));
        assert_eq!(unit("Time step."), None);
        assert_eq!(unit("Trace, mm"), None);
    }

    #[test]
    fn quantities_have_names() {
        assert_eq!(name("Adaptation current, pA.").as_deref(), Some("adaptation current"));
        assert_eq!(name("Trace of the spikes, 0 to 1.").as_deref(), Some("trace of the spikes"));
        assert_eq!(name(""), None);
    }

    #[test]
    fn links_are_their_text() {
        assert_eq!(
            plain("KLIF: [`Lif`](crate::Lif) whose `k`[0] is *learned*"),
            "KLIF: Lif whose k[0] is learned"
        );
        assert_eq!(summary("One\ntwo.\n\nThree."), "One two.");
    }
}
