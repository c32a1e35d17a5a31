// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// status: 101
#![feature(rustc_attrs)]

#[rustc_delayed_bug_from_inside_query]
fn main() {}
