// SPDX-License-Identifier: MIT OR Apache-2.0
// --cap-lints does not save it from hard errors.
// flags: --cap-lints allow -D warnings -F unused
#![deny(unused)]

fn main() {
    let x = 1;
    let y: u8 = 'a';
}
