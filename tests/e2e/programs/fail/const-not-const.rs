// SPDX-License-Identifier: MIT OR Apache-2.0
const V: Vec<u8> = vec![1];
static T: std::time::Instant = std::time::Instant::now();
const F: fn() -> String = || String::new();
const G: String = F();

const fn f() -> u8 {
    println!("no");
    let b = Box::new(1);
    *b
}

fn main() {
    let n = 3;
    let a = [0; n];
}
