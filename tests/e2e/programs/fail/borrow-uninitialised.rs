// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x: u8;
    println!("{}", x);
    let y: String;
    if x > 0 {
        y = String::new();
    }
    drop(y);
}
