// SPDX-License-Identifier: MIT OR Apache-2.0
#![feature(no_such_feature_anywhere)]
#![crate_type = "no_such_type"]
#![recursion_limit = "many"]
#![no_such_crate_attribute]

fn main() {}
