// SPDX-License-Identifier: MIT OR Apache-2.0
mod nowhere;
mod nested {
    mod deeper;
}
#[path = "somewhere/else.rs"]
mod renamed;

fn main() {
    nowhere::run();
}
