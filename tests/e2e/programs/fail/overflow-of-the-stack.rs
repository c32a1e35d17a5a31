// SPDX-License-Identifier: MIT OR Apache-2.0
// The compiler itself runs out of stack and dies of a signal.
// run: { echo 'fn main() { let _ = '; printf '&%.0s' {1..200000}; echo '1; }'; } >gen.rs
// run: ulimit -c 0; exec rustc gen.rs
// status: 0 139
