//! The gallery in `docs` is what the command makes of the declarations and measurements that are there.
//!
//! After a change of these: `NEURON_UPDATE=1 cargo test -p spiking-neurons-inspect --test gallery`, and a look at it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use neurons_inspect::Neurons;
use neurons_inspect::gallery::{File, files};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn gallery_is_true() {
    let made = files(&Neurons::default().zoo(), &docs().join("measurements")).unwrap();
    let update = std::env::var_os("NEURON_UPDATE").is_some();
    let mut differ = Vec::new();
    for File { path, text } in &made {
        let place = docs().join(path);
        if std::fs::read_to_string(&place).ok().as_ref() == Some(text) {
            continue;
        }
        if update {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(&place, text).unwrap();
        } else {
            differ.push(path.as_str());
        }
    }
    assert!(differ.is_empty(), "not what the command makes: {differ:?}; NEURON_UPDATE=1 rewrites them");
}

#[test]
fn every_picture_is_on_a_page() {
    let entries =
        |folder: &str| std::fs::read_dir(docs().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let pages: String = entries("")
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|page| std::fs::read_to_string(page).unwrap())
        .collect();
    for picture in entries("images") {
        let name = picture.file_name().unwrap().to_str().unwrap();
        assert!(pages.contains(&format!("(images/{name})")), "docs/images/{name} is on no page");
    }
}

#[test]
fn every_neuron_is_in_it() {
    let neurons = Neurons::default().zoo();
    let page = std::fs::read_to_string(docs().join("gallery.md")).unwrap();
    for neuron in neurons.iter() {
        let name = neuron.spec().name;
        assert!(page.contains(&format!("\n## {name}\n")), "{name} has a section");
        let link = format!("[`{name}`](#{})", name.to_lowercase());
        assert!(page.contains(&link), "{name} is among the answers to which neuron to take");
    }
}

/// Declarations are kept as they were written.
#[test]
fn declarations_are_as_in_the_sources() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let sources: String = std::fs::read_dir(sources)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for neuron in Neurons::default().zoo().iter() {
        let declaration = neuron.spec().declaration.replace('\n', "\n    ").replace("\n    \n", "\n\n");
        assert!(sources.contains(&format!("neuron! {{\n    {declaration}\n}}")), "{declaration}");
    }
}

/// The neurons of the crate, as its sources declare them.
#[test]
fn the_zoo_is_complete() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let mut declared = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in neuron_codegen::declarations::declarations(&source).unwrap() {
            declared.insert(neuron_codegen::check::analyse(declaration).model.unwrap().name.to_string());
        }
    }
    let served = Neurons::default().zoo().iter().map(|neuron| neuron.spec().name.to_owned()).collect();
    assert_eq!(declared, served);
}
