// SPDX-License-Identifier: MIT OR Apache-2.0
#[repr(u8)]
enum A {
    X = 256,
    Y = -1,
}

#[repr(align(3))]
struct B;

#[repr(packed, align(8))]
struct C(u8);

#[repr(u8)]
enum D {}

#[repr(i8)]
enum E {
    A = 1,
    B = 1,
}

fn main() {}
