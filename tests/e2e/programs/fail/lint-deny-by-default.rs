// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let _ = 1u8 << 9;
    let x: u8 = 300;
    let y = [1; 2][3];
    #[allow(unknown)]
    let _ = std::mem::size_of::<u8>() == loop {};
    let z = &mut 5 as *mut i32 as *mut i64;
    let v: &u8 = unsafe { std::mem::zeroed() };
    #[inline(never)]
    fn f() {}
    let _ = unsafe { &*(&1u8 as *const u8 as *mut u8) };
    "é" == "\u{202e}";
    let _ = "‮";
}
