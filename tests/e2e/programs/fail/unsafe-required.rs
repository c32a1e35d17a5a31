// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2024
extern "C" {
    fn strlen(s: *const u8) -> usize;
}
static mut COUNTER: u8 = 0;

union U {
    a: u8,
    b: i8,
}

unsafe fn danger() {}

fn main() {
    danger();
    COUNTER += 1;
    let p = &1 as *const i32;
    let x = *p;
    let u = U { a: 1 };
    let b = u.b;
}
