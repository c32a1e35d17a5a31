// SPDX-License-Identifier: MIT OR Apache-2.0
// An allocation fails in the middle of the compilation.
// run: { echo 'pub static S: &[u32] = &['; printf '1,%.0s' {1..300000}; echo '];'; } >gen.rs
// run: ulimit -c 0; ulimit -v 400000; exec rustc --crate-type lib gen.rs 2>/dev/null
// status: 0 134
