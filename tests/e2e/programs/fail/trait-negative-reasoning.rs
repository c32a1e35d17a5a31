// SPDX-License-Identifier: MIT OR Apache-2.0
trait Tr {}
impl<T> Tr for T where T: Iterator {}
impl Tr for String {}

struct Local;
impl !Send for Local {}
impl Copy for Local {}
impl Drop for u8 {
    fn drop(&mut self) {}
}

fn main() {}
