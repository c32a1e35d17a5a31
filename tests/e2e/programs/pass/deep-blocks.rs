// SPDX-License-Identifier: MIT OR Apache-2.0
// run: { echo 'pub fn f(x: u64) -> u64 {'; printf '{ let y = %.0s' {1..250}; echo 'x'; printf '; y }%.0s' {1..250}; echo '}'; } >gen.rs
// run: rustc --crate-type lib gen.rs
