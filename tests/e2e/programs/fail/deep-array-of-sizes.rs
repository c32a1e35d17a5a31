// SPDX-License-Identifier: MIT OR Apache-2.0
// 50 structs, each as long as the next one is large; the last one's length is a fatal error.
// run: { for i in {1..50}; do echo "pub struct S$((i - 1))([u8; 1 + size_of::<S$i>()]);"; done; echo 'pub struct S50([u8; <u8 as Endless>::SIZE]); pub trait Endless { const SIZE: usize; } impl<T> Endless for T where Vec<T>: Endless { const SIZE: usize = <Vec<T> as Endless>::SIZE; }'; } >gen.rs
// run: rustc --crate-type lib gen.rs
// run: rustc --crate-type lib -C incremental=inc gen.rs
// run: rustc --crate-type lib -C incremental=inc gen.rs
// status: 0 1 1 1
