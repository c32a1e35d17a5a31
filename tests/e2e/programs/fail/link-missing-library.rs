// SPDX-License-Identifier: MIT OR Apache-2.0
#[link(name = "no_such_library_anywhere")]
extern "C" {
    fn f();
}

fn main() {
    unsafe { f() }
}
