// SPDX-License-Identifier: MIT OR Apache-2.0
fn f(x: u32) -> String {
    x
}

fn main() {
    let a: i32 = "text";
    let b: Vec<u8> = f(1);
    let c = if true { 1 } else { "2" };
    let d: (u8, u8) = (1, 2, 3);
    let e: &mut u8 = &1;
}
