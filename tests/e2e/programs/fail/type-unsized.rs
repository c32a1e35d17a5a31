// SPDX-License-Identifier: MIT OR Apache-2.0
fn f(s: str) -> [u8] {
    loop {}
}

struct S {
    a: [u8],
    b: u8,
}

fn main() {
    let x = *"abc";
    let y: dyn Fn() = || ();
}
