// SPDX-License-Identifier: MIT OR Apache-2.0
// run: printf 'fn main() { let s = "\xff\xfe"; }\n' >gen.rs
// run: rustc gen.rs
// status: 0 1
