// SPDX-License-Identifier: MIT OR Apache-2.0
// A file includes itself as a module.
// run: rustc main.rs
#[path = "main.rs"]
mod again;

fn main() {}
