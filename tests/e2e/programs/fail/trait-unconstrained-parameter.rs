// SPDX-License-Identifier: MIT OR Apache-2.0
struct S;
impl<T> S {
    fn f() {}
}
impl<T: Default> Iterator for S {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        None
    }
}

struct Unused<T>;

fn main() {}
