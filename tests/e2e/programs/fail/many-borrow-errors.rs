// SPDX-License-Identifier: MIT OR Apache-2.0
// run: for i in {1..150}; do echo "fn f$i() { let mut v = vec![$i]; let a = &v; v.push(1); drop(v); println!(\"{:?}\", a); }"; done >gen.rs; echo 'fn main() {}' >>gen.rs
// run: rustc gen.rs
// status: 0 1
