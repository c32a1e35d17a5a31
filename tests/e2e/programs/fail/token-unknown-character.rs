// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x = 1；
    let y = “quoted”;
    let z = a ☃ b;
}
