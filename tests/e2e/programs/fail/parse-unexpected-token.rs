// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x = 3 +* 4;
    let = 5;
    for in 0..3 {}
}
