// SPDX-License-Identifier: MIT OR Apache-2.0
// A library is rebuilt with another interface below its user.
// run: echo 'pub fn f() -> u8 { 1 }' >low.rs; echo 'pub use low::f;' >mid.rs
// run: rustc --edition 2021 --crate-type lib low.rs
// run: rustc --edition 2021 --crate-type lib --extern low=liblow.rlib mid.rs
// run: echo 'pub fn f() -> u16 { 2 }' >low.rs; rustc --edition 2021 --crate-type lib low.rs
// run: rustc --edition 2021 --extern mid=libmid.rlib -L . import-stale-crate.rs
// status: 0 0 0 0 1
fn main() {
    mid::f();
}
