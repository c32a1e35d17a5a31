// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x = 999999999999999999999999999999999999999999999;
    let y: u8 = 256;
    let z = -129i8;
}
