// SPDX-License-Identifier: MIT OR Apache-2.0
trait Tr {}
impl<T: Copy> Tr for T {}
impl Tr for u8 {}
impl<T> Tr for Vec<T> {}

struct S;
impl From<S> for S {
    fn from(s: S) -> S {
        s
    }
}

fn main() {}
