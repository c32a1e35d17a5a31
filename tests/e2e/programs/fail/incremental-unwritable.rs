// SPDX-License-Identifier: MIT OR Apache-2.0
// run: echo text >inc
// run: rustc -C incremental=inc incremental-unwritable.rs
// status: 0 1
fn main() {}
