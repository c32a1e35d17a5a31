// SPDX-License-Identifier: MIT OR Apache-2.0
// Errors from LLVM in each of many code generation units.
// Which other units are finished by then is a matter of chance.
// run: rustc -C codegen-units=16 --crate-type lib asm-in-many-units.rs; s=$?; rm -f *.rcgu.o; exit $s
use std::arch::asm;

macro_rules! units {
    ($($m:ident)*) => { $(
        pub mod $m {
            pub fn f() -> u64 {
                let x: u64;
                unsafe { super::asm!("wrong_instruction {}", out(reg) x) };
                x
            }
        }
    )* };
}

units!(a b c d e f g h i j k l m n o p);
