// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type lib --emit obj
core::arch::global_asm!(".this_is_no_directive", "also wrong");
