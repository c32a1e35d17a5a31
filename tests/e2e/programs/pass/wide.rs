// SPDX-License-Identifier: MIT OR Apache-2.0
// Not deep but wide: 1,500 functions, so that many queries run often.
// run: for i in {1..1500}; do echo "pub fn f$i(x: &[u$((8 << i % 4))]) -> Option<usize> { x.iter().position(|y| *y as usize == $i) }"; done >gen.rs
// run: rustc --crate-type lib --emit metadata gen.rs
// run: rustc --crate-type lib --emit obj -C codegen-units=4 gen.rs
// solo: the busiest
