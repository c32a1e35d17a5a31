// SPDX-License-Identifier: MIT OR Apache-2.0
// The layout of a future holds that of the next, beyond the depth limit of queries.
// run: { for i in {1..200}; do echo "async fn f$((i - 1))(x: u32) -> u32 { let s = x.to_string(); f$i(x + s.len() as u32).await + 1 }"; done; echo 'async fn f200(x: u32) -> u32 { x } fn main() { println!("{}", std::mem::size_of_val(&f0(1))); }'; } >gen.rs
// run: rustc --edition 2021 gen.rs
// status: 0 1
