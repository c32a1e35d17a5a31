// SPDX-License-Identifier: MIT OR Apache-2.0
fn longest(a: &str, b: &str) -> &str {
    a
}

struct S {
    r: &str,
}

fn f<'a>(x: &'b str) {}

impl<'a> S<'a> {}

fn main() {}
