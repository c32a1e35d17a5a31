// SPDX-License-Identifier: MIT OR Apache-2.0
// As deep-query-depth-limit, but the limit is met when the compiler's stack has grown by many segments.
// run: { echo '#![recursion_limit = "560"]'; for i in {1..300}; do echo "pub const C$((i - 1)): usize = { struct S([u8; C$i]); size_of::<S>() + 1 };"; done; echo 'pub const C300: usize = 1; pub static S: [u8; C0] = [0; C0];'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// run: RUST_MIN_STACK=4000000 rustc --crate-type lib gen.rs
// status: 0 1 1
// solo: unwinding through a stack in pieces
