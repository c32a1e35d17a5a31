// SPDX-License-Identifier: MIT OR Apache-2.0
pub mod round;

pub fn sides() -> u8 {
    4
}
