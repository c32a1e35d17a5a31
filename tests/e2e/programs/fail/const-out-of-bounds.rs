// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let a = [1, 2, 3];
    let x = a[5];
    let y = 255u8 + 1;
    let z = 1i32 << 40;
    let w = 1 / 0;
}
