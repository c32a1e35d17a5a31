// SPDX-License-Identifier: MIT OR Apache-2.0
// The compiler recurses once for each level of an expression and grows its stack on the way.
// run: { echo 'pub fn f(x: u64) -> u64 { x'; printf ' + x%.0s' {1..3000}; echo ' }'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// run: rustc --crate-type lib --emit metadata gen.rs
// solo: stack segments come and go in this one
