// SPDX-License-Identifier: MIT OR Apache-2.0
fn f(a: u8, b: &str) {}

fn main() {
    f();
    f(1);
    f("x", 1);
    f(1, "a", 2);
    (|x: u8| x)(1, 2);
    let v: Vec<u8, u8, u8> = Vec::new();
}
