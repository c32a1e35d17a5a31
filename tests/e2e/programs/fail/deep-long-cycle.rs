// SPDX-License-Identifier: MIT OR Apache-2.0
// A cycle of 50 constants: it is found 150 queries down, and all of them are unwound.
// run: { for i in {0..49}; do echo "pub const C$i: usize = { let a = [0u8; C$(((i + 1) % 50))]; a.len() + 1 };"; done; } >gen.rs
// run: rustc --crate-type lib gen.rs
// status: 0 1
