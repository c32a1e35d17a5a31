// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: stable
#![feature(box_patterns, specialization)]

fn f(x: !) -> impl FnOnce<(u8,)> {
    let box y = Box::new(1);
}

#[rustc_const_stable(feature = "x", since = "1.0.0")]
const fn g() {}

fn main() {}
