// SPDX-License-Identifier: MIT OR Apache-2.0
// A fatal error in the innermost operand of 3,000 additions.
// run: { echo 'pub trait Endless {} impl<T> Endless for T where Option<T>: Endless {} pub fn endless<T: Endless>() -> u64 { 1 }'; echo 'pub fn f(x: u64) -> u64 { endless::<u8>() + { let y = endless::<u8>(); y.count_ones() as u64 }'; printf ' + x%.0s' {1..3000}; echo ' }'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// status: 0 1
