// SPDX-License-Identifier: MIT OR Apache-2.0
fn take(_: Vec<u8>) {}

fn main() {
    let v = vec![1];
    take(v);
    take(v);
    let s = String::new();
    let c = move || s.len();
    println!("{} {}", s, c());
    for i in 0..2 {
        let w = vec![2];
        let x = (w, w);
    }
}
