// SPDX-License-Identifier: MIT OR Apache-2.0
// needs: rustdoc
// The times a test took are cut off.
// run: rustdoc --test --crate-type lib doctests.rs --test-args --test-threads=1 >out.txt 2>&1; s=$?; sed -E 's/finished in [0-9.]+s.*//; /^all doctests ran in/d' out.txt; rm out.txt; exit $s
/// ```
/// assert_eq!(1 + 1, 2);
/// ```
///
/// ```compile_fail
/// let x: u8 = "";
/// ```
///
/// ```should_panic
/// panic!();
/// ```
///
/// ```no_run
/// loop {}
/// ```
pub fn f() {}
