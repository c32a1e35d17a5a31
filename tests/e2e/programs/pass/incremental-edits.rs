// SPDX-License-Identifier: MIT OR Apache-2.0
// Edits of a body, a signature, a comment, then back.
// run: rustc -C incremental=inc --crate-type lib -C debuginfo=2 incremental-edits.rs
// run: cp incremental-edits.rs kept; sed -i 's/x + 1/x + 2/' incremental-edits.rs; rustc -C incremental=inc --crate-type lib -C debuginfo=2 incremental-edits.rs
// run: sed -i 's/a: u8/a: u16/' incremental-edits.rs; rustc -C incremental=inc --crate-type lib -C debuginfo=2 incremental-edits.rs
// run: sed -i '$a // a comment' incremental-edits.rs; rustc -C incremental=inc --crate-type lib -C debuginfo=2 incremental-edits.rs
// run: cp kept incremental-edits.rs; rustc -C incremental=inc --crate-type lib -C debuginfo=2 incremental-edits.rs
pub struct P {
    pub a: u8,
}

pub fn f(x: u32) -> u32 {
    x + 1
}

pub fn g<T: Iterator<Item = P>>(t: T) -> u32 {
    t.map(|p| f(p.a.into())).sum()
}

pub fn h() -> u32 {
    g(vec![P { a: 1 }, P { a: 2 }].into_iter())
}
