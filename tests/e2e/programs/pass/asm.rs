// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -O asm.rs
// run: ./asm
// run: rustc -O --emit asm -C llvm-args=--x86-asm-syntax=intel asm.rs
use std::arch::{asm, global_asm};

global_asm!(".globl seven_from_asm", "seven_from_asm:", "mov eax, 7", "ret");

extern "C" {
    fn seven_from_asm() -> u32;
}

fn triple(x: u64) -> u64 {
    let y;
    unsafe { asm!("lea {y}, [{x} + {x} * 2]", x = in(reg) x, y = out(reg) y, options(pure, nomem)) };
    y
}

fn main() {
    println!("{} {}", triple(5), unsafe { seven_from_asm() });
}
