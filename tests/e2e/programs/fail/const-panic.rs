// SPDX-License-Identifier: MIT OR Apache-2.0
const A: u8 = panic!("not today");
const B: u32 = 1 / (A as u32 - A as u32);
static C: usize = [1, 2, 3][7];

const fn checked(n: usize) -> usize {
    assert!(n < 4, "n is too large");
    n
}
const D: [u8; checked(9)] = [0; checked(9)];

fn main() {
    println!("{} {} {}", A, B, C);
}
