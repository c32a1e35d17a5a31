// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type lib
//! A library of generic items: much metadata, little code.
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug, Display};
use std::hash::Hash;

/// A map that remembers the order of insertion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ordered<K: Hash + Eq, V> {
    index: HashMap<K, usize>,
    items: Vec<V>,
}

impl<K: Hash + Eq + Clone, V> Ordered<K, V> {
    pub fn new() -> Self {
        Ordered { index: HashMap::new(), items: Vec::new() }
    }

    pub fn insert(&mut self, k: K, v: V) -> Option<V> {
        match self.index.get(&k) {
            Some(&i) => Some(std::mem::replace(&mut self.items[i], v)),
            None => {
                self.index.insert(k, self.items.len());
                self.items.push(v);
                None
            }
        }
    }

    pub fn get<Q>(&self, k: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.index.get(k).map(|&i| &self.items[i])
    }

    pub fn iter(&self) -> impl Iterator<Item = &V> + '_ {
        self.items.iter()
    }
}

impl<K: Hash + Eq + Clone, V> FromIterator<(K, V)> for Ordered<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(i: I) -> Self {
        let mut o = Ordered::new();
        for (k, v) in i {
            o.insert(k, v);
        }
        o
    }
}

pub trait Visitor {
    type Output;
    fn leaf(&mut self, x: i64) -> Self::Output;
    fn node(&mut self, name: &str, children: Vec<Self::Output>) -> Self::Output;
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tree {
    Leaf(i64),
    Node(String, Vec<Tree>),
}

impl Tree {
    pub fn visit<V: Visitor + ?Sized>(&self, v: &mut V) -> V::Output {
        match self {
            Tree::Leaf(x) => v.leaf(*x),
            Tree::Node(n, c) => {
                let out = c.iter().map(|t| t.visit(v)).collect();
                v.node(n, out)
            }
        }
    }
}

pub struct Sum;
impl Visitor for Sum {
    type Output = i64;
    fn leaf(&mut self, x: i64) -> i64 {
        x
    }
    fn node(&mut self, _: &str, c: Vec<i64>) -> i64 {
        c.into_iter().sum()
    }
}

impl Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Leaf(x) => write!(f, "{x}"),
            Tree::Node(n, c) => {
                write!(f, "{n}(")?;
                for (i, t) in c.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    Display::fmt(t, f)?;
                }
                f.write_str(")")
            }
        }
    }
}

pub fn group<T, K: Ord, F: Fn(&T) -> K>(v: Vec<T>, f: F) -> BTreeMap<K, Vec<T>> {
    let mut m = BTreeMap::new();
    for t in v {
        m.entry(f(&t)).or_insert_with(Vec::new).push(t);
    }
    m
}

pub fn show<T: Debug>(t: T) -> String {
    format!("{t:#?}")
}
