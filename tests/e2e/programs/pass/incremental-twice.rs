// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C incremental=inc incremental-twice.rs
// run: rustc -C incremental=inc incremental-twice.rs
// run: ./incremental-twice
use std::collections::HashMap;

fn count(s: &str) -> HashMap<char, usize> {
    let mut m = HashMap::new();
    for c in s.chars() {
        *m.entry(c).or_default() += 1;
    }
    m
}

fn main() {
    let mut v: Vec<_> = count("incremental").into_iter().collect();
    v.sort();
    println!("{:?}", v);
}
