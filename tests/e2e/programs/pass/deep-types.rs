// SPDX-License-Identifier: MIT OR Apache-2.0
// run: { echo '#![recursion_limit = "2000"] pub type T = '; printf 'Option<(u8, %.0s' {1..400}; echo 'u8'; printf ')>%.0s' {1..400}; echo '; pub fn f(t: T) -> bool { t.is_some() } pub fn g(t: &T) -> T { t.clone() }'; } >gen.rs
// run: rustc --crate-type lib gen.rs
