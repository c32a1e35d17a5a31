// SPDX-License-Identifier: MIT OR Apache-2.0
// run: : >empty.rs
// run: rustc empty.rs
// run: rustc - </dev/null
// status: 0 1 1
fn main() {}
