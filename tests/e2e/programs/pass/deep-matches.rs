// SPDX-License-Identifier: MIT OR Apache-2.0
// run: { echo 'pub fn f(x: u64) -> u64 { '; printf 'if x == %d { %d } else {\n' $(seq 1 1200); echo 'x'; printf '}%.0s' {1..600}; echo '}'; } >gen.rs
// run: rustc --crate-type lib gen.rs
