// SPDX-License-Identifier: MIT OR Apache-2.0
// needs: rustdoc
// run: rustdoc rustdoc-errors.rs
// run: rustdoc --document-private-items no_such_file.rs
// run: rustdoc --test rustdoc-errors.rs --test-args --test-threads=1 >out.txt 2>&1; s=$?; sed -E 's/finished in [0-9.]+s.*//; /^all doctests ran in/d' out.txt; rm out.txt; exit $s
// status: 1 1 101
#![deny(rustdoc::broken_intra_doc_links)]

/// See [`Nothing`] and [nowhere::at_all].
///
/// ```
/// let x: u8 = "does not compile";
/// ```
pub fn f() {}

/// ```
/// panic!("fails when it is run");
/// ```
pub fn g() {}

fn main() {}
