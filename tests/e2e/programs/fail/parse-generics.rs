// SPDX-License-Identifier: MIT OR Apache-2.0
struct Pair<T, {
    a: T,
}

fn f() -> Vec<Vec<i32> {
    Vec::new()
}

fn main() {}
