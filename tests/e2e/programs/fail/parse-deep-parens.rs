// SPDX-License-Identifier: MIT OR Apache-2.0
// An error inside 250 parentheses, then 3,000 that are never closed.
// run: { echo 'fn main() { let _x = '; printf '(%.0s' {1..250}; echo '1 + * /'; printf ')%.0s' {1..250}; echo '; }'; } >gen.rs
// run: rustc gen.rs
// run: { echo 'fn main() { let _x = '; printf '(%.0s' {1..3000}; echo '1; }'; } >gen.rs
// run: rustc gen.rs
// status: 0 1 0 1
