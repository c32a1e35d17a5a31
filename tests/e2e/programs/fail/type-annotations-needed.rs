// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let v = Vec::new();
    let x = "5".parse().unwrap();
    let y = Default::default();
    let z = [].iter().sum();
}
