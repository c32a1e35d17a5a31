// SPDX-License-Identifier: MIT OR Apache-2.0
// The compiler is killed while it works.
// run: for i in {1..6000}; do echo "pub fn f$i(x: &[u64]) -> Option<usize> { x.iter().position(|y| *y == $i) }"; done >gen.rs
// run: ulimit -c 0; mkdir out; exec timeout -s KILL 0.4 rustc --crate-type lib --out-dir out gen.rs
// run: rm -r out
// run: ulimit -c 0; mkdir out; exec timeout -s TERM 0.3 rustc --crate-type lib --out-dir out gen.rs
// run: rm -r out
// status: 0 137 0 124 0
