// SPDX-License-Identifier: MIT OR Apache-2.0
// run: mkdir folder
// run: rustc folder
// status: 0 1
fn main() {}
