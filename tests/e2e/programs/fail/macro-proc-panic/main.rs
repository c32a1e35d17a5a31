// SPDX-License-Identifier: MIT OR Apache-2.0
// A procedural macro panics, another returns tokens that do not parse.
// run: rustc --edition 2021 --crate-type proc-macro macros.rs
// run: rustc --edition 2021 --extern macros=libmacros.so main.rs
// status: 0 1
use macros::{boom, garbage, Explode};

#[derive(Explode)]
struct S;

garbage!();

fn main() {
    boom!(1, 2, 3);
}
