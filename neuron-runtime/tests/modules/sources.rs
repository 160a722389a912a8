//! The modules of a crate, each a file, with what it declares and re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// Where something is: names from the root of the crate.
pub type Place = Vec<String>;

/// A module.
pub struct Module {
    /// The modules that it declares.
    pub children: BTreeSet<String>,
    /// What it has under another path.
    pub exports: Vec<Import>,
    /// What it imports, re-exports among it.
    pub imports: Vec<Import>,
    /// All but imports.
    pub code: TokenStream,
}

/// An import of one item, or of all of a module.
#[derive(Clone)]
pub struct Import {
    /// As it is written.
    pub path: Vec<String>,
    /// What it is called here; `None` for all of a module.
    pub name: Option<String>,
}

/// The modules of a crate by where they are; the root has an empty path.
pub struct Crate {
    pub modules: BTreeMap<Place, Module>,
}

impl Crate {
    /// Of the files under `root`.
    pub fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        read(root, &root.join("lib.rs"), Vec::new(), &mut modules);
        Self { modules }
    }

    /// Of the texts of modules by their paths.
    pub fn parse<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let place =
            |path: &str| path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Self { modules: files.into_iter().map(|(path, text)| (place(path), Module::parse(text))).collect() }
    }
}

/// Reads a module and those that it declares, which are in `folder`.
fn read(folder: &Path, file: &Path, place: Place, modules: &mut BTreeMap<Place, Module>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let module = Module::parse(&text);
    for child in &module.children {
        let (inner, beside) = (folder.join(child), folder.join(format!("{child}.rs")));
        let file = if beside.exists() { beside } else { inner.join("mod.rs") };
        read(&inner, &file, [&place[..], std::slice::from_ref(child)].concat(), modules);
    }
    modules.insert(place, module);
}

impl Module {
    fn parse(text: &str) -> Self {
        let file = syn::parse_file(text).expect("a source file of this repository");
        let (mut children, mut exports, mut imports) = (BTreeSet::new(), Vec::new(), Vec::new());
        let mut code = TokenStream::new();
        for item in file.items {
            match item {
                Item::Mod(module) if is_for_tests(&module.attrs) => {}
                Item::Mod(module) if module.content.is_none() => {
                    children.insert(module.ident.to_string());
                }
                Item::Use(item) => {
                    let before = imports.len();
                    flatten(&item.tree, &mut Vec::new(), &mut imports);
                    if !matches!(item.vis, Visibility::Inherited) {
                        exports.extend_from_slice(&imports[before..]);
                    }
                }
                item => item.to_tokens(&mut code),
            }
        }
        Self { children, exports, imports, code }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.to_token_stream().to_string() == "# [cfg (test)]")
}

/// The imports of a `use`.
fn flatten(tree: &UseTree, path: &mut Vec<String>, imports: &mut Vec<Import>) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, imports);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, imports)),
        UseTree::Glob(_) => imports.push(Import { path: path.clone(), name: None }),
        UseTree::Name(tree) if tree.ident == "self" => {
            imports.push(Import { path: path.clone(), name: path.last().cloned() });
        }
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            imports
                .push(Import { path: [&path[..], std::slice::from_ref(&name)].concat(), name: Some(name) });
        }
        UseTree::Rename(tree) => {
            let path = [&path[..], &[tree.ident.to_string()]].concat();
            imports.push(Import { path, name: Some(tree.rename.to_string()) });
        }
    }
}
