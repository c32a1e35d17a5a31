// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// The compiler panics 50 constants down.
// run: { for i in {1..50}; do echo "pub const C$((i - 1)): usize = { struct S([u8; C$i]); size_of::<S>() + 1 };"; done; echo 'pub const C50: usize = "not a number"; pub static S: [u8; C0] = [0; C0];'; } >gen.rs
// run: rustc --crate-type lib -Ztreat-err-as-bug=1 gen.rs
// run: RUST_BACKTRACE=0 rustc --crate-type lib -Ztreat-err-as-bug=1 -C incremental=inc gen.rs
// status: 0 101 101
// solo: a panic below many queries
