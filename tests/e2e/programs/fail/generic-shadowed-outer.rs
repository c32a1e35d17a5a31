// SPDX-License-Identifier: MIT OR Apache-2.0
fn outer<T>(t: T) {
    fn inner(x: T) {}
    const C: Option<T> = None;
    struct S(T);
    inner(t);
}

fn g<T, T>() {}

fn main() {}
