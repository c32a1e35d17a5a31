// SPDX-License-Identifier: MIT OR Apache-2.0
// 300 constants, each evaluated from within the one before: more than the depth limit of queries.
// run: { for i in {1..300}; do echo "pub const C$((i - 1)): usize = { struct S([u8; C$i]); size_of::<S>() + 1 };"; done; echo 'pub const C300: usize = 1; pub static S: [u8; C0] = [0; C0];'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// status: 0 1
