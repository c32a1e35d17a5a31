// SPDX-License-Identifier: MIT OR Apache-2.0
// Closures in closures: a query for each level, nested.
// run: { echo 'pub fn f(x: u64) -> u64 { '; printf '(|| %.0s' {1..120}; echo 'x'; printf ')()%.0s' {1..120}; echo '}'; } >gen.rs
// run: rustc --crate-type lib gen.rs
