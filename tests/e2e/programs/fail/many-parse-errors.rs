// SPDX-License-Identifier: MIT OR Apache-2.0
// run: for i in {1..300}; do echo "fn f$i(x) { let = ; 1 + ; } struct S$i { x y } enum E$i ( A );"; done >gen.rs
// run: rustc gen.rs
// status: 0 1
