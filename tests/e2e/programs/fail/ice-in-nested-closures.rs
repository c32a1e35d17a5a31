// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// A borrow error in the innermost of 60 closures, turned into a panic.
// run: { echo 'pub fn f(v: Vec<u8>) -> u8 { '; printf '(|| %.0s' {1..60}; echo '{ drop(v); v[0] }'; printf ')()%.0s' {1..60}; echo '}'; } >gen.rs
// run: rustc --crate-type lib -Ztreat-err-as-bug=1 gen.rs
// status: 0 101
