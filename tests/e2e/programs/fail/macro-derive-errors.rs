// SPDX-License-Identifier: MIT OR Apache-2.0
#[derive(Debug, Clone, NoSuchDerive)]
struct A(B);

struct B;

#[derive(Copy)]
struct C(String);

#[derive(Default)]
enum D {
    X,
    Y,
}

#[derive(Debug)]
fn f() {}

fn main() {}
