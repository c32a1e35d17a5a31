// SPDX-License-Identifier: MIT OR Apache-2.0
// The failing constant is in another crate and is met while this crate's code is generated.
// run: rustc --edition 2021 --crate-type lib -O dep.rs
// run: rustc --edition 2021 -O --extern dep=libdep.rlib main.rs
// run: rustc --edition 2021 --emit metadata --extern dep=libdep.rlib main.rs
// status: 0 1 0
fn main() {
    let v: Vec<_> = (0..4).map(|n| dep::Holder::<[u8; 16]>::make([n; 16])).collect();
    println!("{}", v.len());
    println!("{}", dep::layered::<u128>());
}
