// SPDX-License-Identifier: MIT OR Apache-2.0
// Damaged caches are thrown away with a warning; the error is that of the program.
// run: rustc -C incremental=inc --crate-type lib --emit metadata incremental-corrupt.rs
// run: for f in inc/*/s-*/*.bin; do echo damaged >"$f"; done
// run: rustc -C incremental=inc --crate-type lib --emit metadata --cfg broken incremental-corrupt.rs
// status: 0 0 1
pub fn f() -> u8 {
    1
}

#[cfg(broken)]
pub fn g() -> u8 {
    f("x")
}
