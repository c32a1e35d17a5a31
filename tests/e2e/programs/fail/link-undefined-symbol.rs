// SPDX-License-Identifier: MIT OR Apache-2.0
extern "C" {
    fn this_symbol_is_nowhere(x: i32) -> i32;
}

fn main() {
    println!("{}", unsafe { this_symbol_is_nowhere(1) });
}
