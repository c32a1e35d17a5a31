// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: stable
// run: rustc -Zself-profile flag-unstable.rs
// run: rustc -Z help
// run: rustc --pretty=expanded flag-unstable.rs
// status: 1 1 1
fn main() {}
