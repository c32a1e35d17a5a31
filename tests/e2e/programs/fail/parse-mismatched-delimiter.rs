// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let v = vec![1, 2, 3);
    println!("{:?}", v];
}
