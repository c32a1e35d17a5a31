// SPDX-License-Identifier: MIT OR Apache-2.0
const A: bool = unsafe { std::mem::transmute(3u8) };
const B: &u8 = unsafe { &*(16 as *const u8) };
const C: char = unsafe { char::from_u32_unchecked(0xD800) };
const D: u8 = unsafe { std::mem::MaybeUninit::<u8>::uninit().assume_init() };
static E: [u8; 2] = unsafe { *(&1u8 as *const u8 as *const [u8; 2]) };

fn main() {
    println!("{} {} {} {} {:?}", A, B, C, D, E);
}
