// SPDX-License-Identifier: MIT OR Apache-2.0
macro_rules! pair {
    ($a:expr, $b:expr) => {
        ($a, $b)
    };
}

fn main() {
    pair!(1);
    pair!(1, 2, 3);
    pair!(struct);
    undefined_macro!();
    println!("{} {}", 1);
    println!("{x");
    format!(1);
}
