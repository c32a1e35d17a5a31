// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --target aarch64-unknown-linux-gnu
fn main() {
    println!("no standard library there");
}
