// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
macro_rules! m {
    ($($t:tt)*) => {};
}

fn main() {
    m!(z"hey");
    let k#y = 1;
    let 'a' = 2;
}
