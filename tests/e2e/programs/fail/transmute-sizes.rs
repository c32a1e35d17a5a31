// SPDX-License-Identifier: MIT OR Apache-2.0
fn g<T>(t: T) -> u64 {
    unsafe { std::mem::transmute(t) }
}

fn main() {
    let a: u32 = unsafe { std::mem::transmute(1u64) };
    let b: [u8; 3] = unsafe { std::mem::transmute([1u16, 2]) };
}
