// SPDX-License-Identifier: MIT OR Apache-2.0
// The output cannot be written.
// run: mkdir taken
// run: rustc -o taken input-unreadable-output.rs
// run: rustc --out-dir input-unreadable-output.rs/x input-unreadable-output.rs
// run: rustc --emit metadata -o no/such/folder/x input-unreadable-output.rs
// status: 0 1 1 1
fn main() {}
