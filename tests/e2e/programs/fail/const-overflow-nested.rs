// SPDX-License-Identifier: MIT OR Apache-2.0
const fn fib(n: u32) -> u8 {
    if n < 2 { n as u8 } else { fib(n - 1) + fib(n - 2) }
}
const X: u8 = fib(20);
const Y: [u8; X as usize] = [0; X as usize];

fn main() {
    println!("{}", Y.len());
}
