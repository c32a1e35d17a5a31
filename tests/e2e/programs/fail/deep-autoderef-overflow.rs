// SPDX-License-Identifier: MIT OR Apache-2.0
// Method look-up derefs for ever, in the innermost of nested closures.
use std::ops::Deref;

struct Onion<T>(T);
impl<T> Deref for Onion<T> {
    type Target = Onion<Onion<T>>;
    fn deref(&self) -> &Self::Target {
        unimplemented!()
    }
}

fn main() {
    let f = |a: u8| {
        let g = |b: u8| {
            let h = |c: u8| {
                let o = Onion(a + b + c);
                o.no_method_there()
            };
            h(3)
        };
        g(2)
    };
    f(1);
}
