// SPDX-License-Identifier: MIT OR Apache-2.0
// A procedural macro crate, and a program which uses it.
// run: rustc --edition 2021 --crate-type proc-macro macros.rs
// run: rustc --edition 2021 --extern macros=libmacros.so main.rs
// run: ./main
use macros::{logged, repeat, Describe};

#[derive(Describe)]
#[allow(dead_code)]
struct Config {
    name: String,
    size: usize,
}

#[logged]
fn work(n: u32) -> u32 {
    repeat!(3, n + 1)
}

fn main() {
    println!("{} {}", Config::describe(), work(4));
}
