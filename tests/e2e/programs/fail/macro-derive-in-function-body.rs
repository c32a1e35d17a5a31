// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
#![recursion_limit = "8"]
macro_rules! count {
    () => { 0 };
    ($h:tt $($t:tt)*) => { 1 + count!($($t)*) };
}

fn main() {
    let _ = count!(a b c d e f g h i j k l m n o p);
}
