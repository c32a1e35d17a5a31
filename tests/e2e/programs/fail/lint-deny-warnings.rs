// SPDX-License-Identifier: MIT OR Apache-2.0
#![deny(warnings)]

fn unused() {}

fn main() {
    let x = 1;
    let mut y = 2;
    if (true) {}
    loop {
        break;
    }
    return;
    println!("unreachable");
}
