// SPDX-License-Identifier: MIT OR Apache-2.0
// 250 nested blocks with an error in the innermost.
// run: { echo 'fn main() {'; printf '{%.0s' {1..250}; echo 'let x: = 1;'; printf '}%.0s' {1..250}; echo '}'; } >gen.rs
// run: rustc gen.rs
// status: 0 1
