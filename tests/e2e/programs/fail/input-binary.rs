// SPDX-License-Identifier: MIT OR Apache-2.0
// run: head -c 20000 "$(command -v rustc)" >gen.rs
// run: rustc gen.rs
// status: 0 1
fn main() {}
