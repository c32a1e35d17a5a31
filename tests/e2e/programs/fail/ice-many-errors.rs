// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// The third error is the one that panics.
// flags: -Ztreat-err-as-bug=3
// status: 101
fn a() -> u8 {
    "x"
}
fn b() -> u8 {
    a(1)
}
fn c() {
    let v = vec![1];
    drop(v);
    drop(v);
}

fn main() {}
