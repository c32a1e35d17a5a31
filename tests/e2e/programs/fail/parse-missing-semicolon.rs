// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let a = 1
    let b = 2
    println!("{}", a + b)
}
