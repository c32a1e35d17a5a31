// SPDX-License-Identifier: MIT OR Apache-2.0
// 600 errors of two kinds, in each format.
// run: for i in {1..200}; do echo "fn f$i(x: u8) -> String { let y: u32 = x; let v = vec![y]; drop(v); v.nope$i(); x }"; done >gen.rs; echo 'fn main() {}' >>gen.rs
// run: rustc gen.rs
// run: rustc --error-format=json gen.rs
// run: rustc --error-format=short gen.rs
// status: 0 1 1 1
