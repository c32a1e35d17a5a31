// SPDX-License-Identifier: MIT OR Apache-2.0
const fn forever(n: u64) -> u64 {
    forever(n + 1) + 1
}
const X: u64 = forever(0);

fn main() {
    println!("{}", X);
}
