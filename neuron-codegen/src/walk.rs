//! Walks over graphs that may be as deep as a declaration is long. Recursion would be as deep, so there is none.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Computes the value of `root`, after those of its operands, into `done`. What is there already is not computed again.
///
/// `None` as soon as `value` is `None`; what was computed until then stays.
pub fn fold<I: Copy + Eq + Hash, T, O: IntoIterator<Item = I>>(
    done: &mut HashMap<I, T>,
    root: I,
    operands: impl Fn(I) -> O,
    mut value: impl FnMut(&HashMap<I, T>, I) -> Option<T>,
) -> Option<()> {
    let mut open = vec![root];
    while let Some(&id) = open.last() {
        if !done.contains_key(&id) {
            let before = open.len();
            open.extend(operands(id).into_iter().filter(|operand| !done.contains_key(operand)));
            if open.len() > before {
                continue;
            }
            let computed = value(done, id)?;
            done.insert(id, computed);
        }
        open.pop();
    }
    Some(())
}

/// In which order definitions can be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Every definition after those that it uses, save for cycles.
    pub sequence: Vec<usize>,
    /// Definitions each of which uses the next, and the last the first.
    pub cycles: Vec<Vec<usize>>,
}

/// The order of `root` and of what it uses, as far as that is not settled.
pub fn order(root: usize, is_settled: impl Fn(usize) -> bool, uses: impl Fn(usize) -> Vec<usize>) -> Order {
    let mut order = Order::default();
    let mut finished = HashSet::new();
    let mut open = vec![(root, uses(root).into_iter())];
    let mut depths = HashMap::from([(root, 0)]);
    while let Some((index, rest)) = open.last_mut() {
        match rest.next() {
            None => {
                order.sequence.push(*index);
                finished.insert(*index);
                depths.remove(index);
                open.pop();
            }
            Some(next) if is_settled(next) || finished.contains(&next) => {}
            Some(next) => match depths.get(&next) {
                Some(&depth) => order.cycles.push(open[depth..].iter().map(|(index, _)| *index).collect()),
                None => {
                    depths.insert(next, open.len());
                    open.push((next, uses(next).into_iter()));
                }
            },
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_computed_once() {
        // Each number is the sum of the two before it: 2^100 additions without sharing.
        let (mut done, mut computed) = (HashMap::from([(0, 1u128), (1, 1)]), 0);
        let operands = |n: u32| [n - 2, n - 1];
        fold(&mut done, 100, operands, |done, n| {
            computed += 1;
            Some(done[&(n - 2)] + done[&(n - 1)])
        });
        assert_eq!((done[&100], computed), (573_147_844_013_817_084_101, 99));
    }

    #[test]
    fn what_was_computed_before_the_end_stays() {
        let mut done = HashMap::new();
        let operands = |n: u32| n.checked_sub(1);
        assert_eq!(fold(&mut done, 9, operands, |_, n| (n < 5).then_some(n)), None);
        assert_eq!(done.len(), 5);
        assert_eq!(fold(&mut done, 9, operands, |_, n| Some(n)), Some(()));
        assert_eq!(done.len(), 10);
    }

    #[test]
    fn uses_come_first() {
        let uses = |index: usize| [vec![2, 1], vec![3], vec![3, 4], vec![], vec![]][index].clone();
        let Order { sequence, cycles } = order(0, |index| index == 4, uses);
        assert_eq!((sequence, cycles), (vec![3, 2, 1, 0], vec![]));
    }

    #[test]
    fn cycles_are_found() {
        let uses = |index: usize| [vec![1], vec![2, 1], vec![0, 3], vec![2]][index].clone();
        let Order { sequence, cycles } = order(0, |_| false, uses);
        assert_eq!(sequence, [3, 2, 1, 0]);
        assert_eq!(cycles, [vec![0, 1, 2], vec![2, 3], vec![1]]);
    }
}
