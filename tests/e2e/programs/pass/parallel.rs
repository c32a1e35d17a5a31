// SPDX-License-Identifier: MIT OR Apache-2.0
// Several compilers at once, some shorter than the attaching to them.
// run: for i in {1..8}; do rustc --crate-type lib --crate-name c$i parallel.rs & rustc -vV >v$i & done; wait
// run: for i in {1..40}; do rustc --print sysroot & done; wait
pub fn f<T: std::fmt::Debug>(t: T) -> String {
    format!("{t:?}")
}
