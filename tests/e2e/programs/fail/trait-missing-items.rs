// SPDX-License-Identifier: MIT OR Apache-2.0
struct S;

impl Iterator for S {
    type Wrong = u8;
    fn nxt(&mut self) -> Option<u8> {
        None
    }
}

impl Clone for S {
    fn clone(&self, other: u8) -> u8 {
        0
    }
}

fn main() {}
