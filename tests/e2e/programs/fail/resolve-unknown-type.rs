// SPDX-License-Identifier: MIT OR Apache-2.0
struct S {
    a: HashMapp<u8, u8>,
}

fn f(x: Strng) -> Optoin<u8> {
    None
}

fn main() {}
