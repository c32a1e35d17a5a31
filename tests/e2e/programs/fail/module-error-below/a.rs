// SPDX-License-Identifier: MIT OR Apache-2.0
pub mod b;

pub fn f() -> u8 {
    b::deep("x")
}
