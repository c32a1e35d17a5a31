// SPDX-License-Identifier: MIT OR Apache-2.0
use std::arch::asm;

fn main() {
    unsafe {
        asm!("{}");
        asm!("{x}", in(reg) 1);
        asm!("nop", options(nosuch));
        asm!("{}", in(nosuchclass) 1);
        asm!("", out("eax") "string");
        asm!("{0}", in(reg) [1u8; 64]);
    }
}
