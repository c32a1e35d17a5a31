// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --crate-type lib --crate-name piped - <stdin.rs
// run: printf '%s\n' --edition=2021 --crate-type=lib stdin.rs >args; rustc @args
pub fn f(x: u8) -> u8 {
    x.wrapping_mul(3)
}
