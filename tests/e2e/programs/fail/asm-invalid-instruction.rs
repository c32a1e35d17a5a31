// SPDX-License-Identifier: MIT OR Apache-2.0
// LLVM reports it, in a code generation thread.
// flags: -C codegen-units=1
use std::arch::asm;

fn main() {
    unsafe {
        asm!("this_is_no_instruction eax");
    }
}
