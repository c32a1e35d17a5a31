// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type staticlib
#[link(name = "no_such_static_library", kind = "static")]
extern "C" {
    fn f();
}

pub fn g() {
    unsafe { f() }
}
