// SPDX-License-Identifier: MIT OR Apache-2.0
struct A;
enum A {}
fn f() {}
fn f() {}

impl A {
    fn m(&self) {}
    fn m(&self) {}
}

fn main() {
    let (x, x) = (1, 2);
}
