// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc hello.rs
// run: ./hello
// solo: an attach of its own
fn main() {
    println!("Hello, world!");
}
