//! Which module imports which.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};

use crate::graph::Graph;
use crate::sources::{Crate, Place};

/// What a path leads to.
enum Target {
    Module(Place),
    /// Something that this module defines.
    ItemOf(Place),
    Elsewhere,
}

/// What each module imports of the others, but for re-exports of what is inside it. The root is left out, since it does
/// nothing but declare and re-export.
pub fn graph(sources: &Crate) -> Graph {
    let modules = sources.modules.keys().filter(|place| !place.is_empty());
    modules.map(|place| (place.join("::"), imported(sources, place))).collect()
}

fn imported(sources: &Crate, place: &Place) -> BTreeSet<String> {
    let module = &sources.modules[place];
    let is_export = |path: &[String]| module.exports.iter().any(|export| export.path == path);
    let mut targets = Vec::new();
    let mut names: BTreeMap<String, Place> = module
        .children
        .iter()
        .map(|child| (child.clone(), [&place[..], std::slice::from_ref(child)].concat()))
        .collect();
    for import in &module.imports {
        match (resolve(sources, place, &import.path), &import.name) {
            (Target::ItemOf(target), _) => {
                if !(is_export(&import.path) && target.starts_with(place)) {
                    targets.push(target);
                }
            }
            // Of what it has the import says nothing yet.
            (Target::Module(target), Some(name)) => drop(names.insert(name.clone(), target)),
            (Target::Module(target), None) => {
                if !(is_export(&import.path) && target.starts_with(place)) {
                    targets.push(target);
                }
            }
            (Target::Elsewhere, _) => {}
        }
    }
    let mut paths = Vec::new();
    find_paths(module.code.clone(), &mut paths);
    for path in paths {
        let target = match names.get(&path[0]) {
            Some(inside) => descend(sources, inside.clone(), &path[1..], 0),
            None if is_relative(&path[0]) => resolve(sources, place, &path),
            None => Target::Elsewhere,
        };
        if let Target::ItemOf(target) = target {
            targets.push(target);
        }
    }
    targets.retain(|target| target != place && !target.is_empty());
    targets.into_iter().map(|target| target.join("::")).collect()
}

fn is_relative(name: &str) -> bool {
    matches!(name, "crate" | "super" | "self")
}

/// Where `path`, as it is written in the module at `place`, leads to.
fn resolve(sources: &Crate, place: &Place, path: &[String]) -> Target {
    resolve_within(sources, place, path, 0)
}

/// After so many re-exports, of which there may be a circle.
fn resolve_within(sources: &Crate, place: &Place, path: &[String], depth: usize) -> Target {
    let Some((first, rest)) = path.split_first() else { return Target::Module(place.clone()) };
    match first.as_str() {
        "crate" => descend(sources, Vec::new(), rest, depth),
        "self" => descend(sources, place.clone(), rest, depth),
        "super" => {
            let above = place[..place.len().saturating_sub(1)].to_vec();
            match rest.first().map(String::as_str) {
                Some("super") => resolve_within(sources, &above, rest, depth),
                _ => descend(sources, above, rest, depth),
            }
        }
        name if sources.modules[place].children.contains(name) => {
            descend(sources, place.clone(), path, depth)
        }
        _ => Target::Elsewhere,
    }
}

/// What `path` is inside of the module at `place`.
fn descend(sources: &Crate, mut place: Place, path: &[String], depth: usize) -> Target {
    let Some((first, rest)) = path.split_first() else { return Target::Module(place) };
    let module = &sources.modules[&place];
    if module.children.contains(first) {
        place.push(first.clone());
        return descend(sources, place, rest, depth);
    }
    if depth < 8 {
        let named = module.exports.iter().find(|export| export.name.as_ref() == Some(first));
        if let Some(export) = named {
            return match resolve_within(sources, &place, &export.path, depth + 1) {
                Target::Module(inside) => descend(sources, inside, rest, depth + 1),
                target => target,
            };
        }
        for export in module.exports.iter().filter(|export| export.name.is_none()) {
            if let Target::Module(inside) = resolve_within(sources, &place, &export.path, depth + 1)
                && has(sources, &inside, first)
            {
                return descend(sources, inside, path, depth + 1);
            }
        }
    }
    Target::ItemOf(place)
}

/// Whether a module mentions `name` as something of its own.
fn has(sources: &Crate, place: &Place, name: &str) -> bool {
    let module = &sources.modules[place];
    let is_there = |tokens: TokenStream| tokens.into_iter().any(|token| contains(token, name));
    module.exports.iter().any(|export| export.name.as_deref() == Some(name)) || is_there(module.code.clone())
}

fn contains(token: TokenTree, name: &str) -> bool {
    match token {
        TokenTree::Group(group) => group.stream().into_iter().any(|token| contains(token, name)),
        TokenTree::Ident(ident) => ident == name,
        _ => false,
    }
}

/// All paths of two names or more in `tokens`, those in macros included.
fn find_paths(tokens: TokenStream, paths: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => path.push(ident.to_string()),
            TokenTree::Ident(ident) => {
                paths.push(std::mem::replace(&mut path, vec![ident.to_string()]));
            }
            _ => paths.push(std::mem::take(&mut path)),
        }
        if let TokenTree::Group(group) = token {
            find_paths(group.stream(), paths);
        }
        colons = 0;
    }
    paths.push(path);
    paths.retain(|path| path.len() > 1);
}
