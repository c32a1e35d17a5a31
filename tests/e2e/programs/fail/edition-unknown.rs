// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --edition 1999 edition-unknown.rs
fn main() {}
