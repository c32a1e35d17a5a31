// SPDX-License-Identifier: MIT OR Apache-2.0
strcut Point {
    x: i32,
}

fn main() {}
