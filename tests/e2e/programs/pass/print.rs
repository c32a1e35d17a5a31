// SPDX-License-Identifier: MIT OR Apache-2.0
// What build tools ask before they build.
// run: rustc --print cfg
// run: rustc --print sysroot
// run: rustc --print target-list
// run: rustc --print target-features
// run: rustc - --crate-name ___ --print=file-names --crate-type bin --crate-type rlib --crate-type dylib --crate-type cdylib --crate-type staticlib --crate-type proc-macro --print=sysroot --print=cfg </dev/null
// run: rustc --print crate-name --print file-names print.rs
// run: rustc --print native-static-libs --crate-type staticlib print.rs
pub fn f() {}
fn main() {}
