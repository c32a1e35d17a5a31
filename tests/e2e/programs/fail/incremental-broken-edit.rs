// SPDX-License-Identifier: MIT OR Apache-2.0
// A good build, then an edit that does not type check, then the good source again.
// run: rustc -C incremental=inc --crate-type lib incremental-broken-edit.rs
// run: sed 's/x + 1/x + "1"/' incremental-broken-edit.rs >edited; cp incremental-broken-edit.rs kept; cp edited incremental-broken-edit.rs
// run: rustc -C incremental=inc --crate-type lib incremental-broken-edit.rs
// run: cp kept incremental-broken-edit.rs
// run: rustc -C incremental=inc --crate-type lib incremental-broken-edit.rs
// status: 0 0 1 0 0
pub fn f(x: u32) -> u32 {
    x + 1
}

pub fn g<T: Into<u32>>(t: T) -> u32 {
    f(t.into())
}

pub fn h() -> u32 {
    g(1u8) + g(2u16)
}
