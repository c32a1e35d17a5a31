// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x = if true {
        1
    else {
        2
    };
