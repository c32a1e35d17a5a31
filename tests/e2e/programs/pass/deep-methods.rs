// SPDX-License-Identifier: MIT OR Apache-2.0
// run: { echo 'pub fn f(x: u64) -> u64 { x'; printf '.wrapping_add(x)%.0s' {1..1500}; echo ' }'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// run: RUST_MIN_STACK=4000000 rustc --crate-type lib gen.rs
