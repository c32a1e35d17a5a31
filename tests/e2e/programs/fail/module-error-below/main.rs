// SPDX-License-Identifier: MIT OR Apache-2.0
// The errors are in other files than the crate root.
// run: rustc main.rs
mod a;

fn main() {
    a::b::deep(1);
}
