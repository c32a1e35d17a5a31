// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type cdylib
#![no_std]

#[no_mangle]
pub extern "C" fn f() -> i32 {
    1
}
