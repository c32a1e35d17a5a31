// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc no_such_input.rs
fn main() {}
