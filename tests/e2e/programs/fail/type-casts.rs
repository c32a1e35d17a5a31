// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let a = 3.5 as bool;
    let b = "x" as u8;
    let c = &1u8 as *const u16 as f32;
    let d = main as u8 as char;
    let e = 300u16 as char;
}
