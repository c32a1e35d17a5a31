// SPDX-License-Identifier: MIT OR Apache-2.0
enum A {
    X = B::Y as isize,
}
enum B {
    Y = A::X as isize,
}
const N: usize = LEN.len();
static LEN: [u8; N] = [0; N];

fn main() {}
