// SPDX-License-Identifier: MIT OR Apache-2.0
use std::cell::Cell;

struct Inv<'a>(Cell<&'a u8>);

fn shorten<'a, 'b: 'a>(x: &'a Inv<'b>) -> &'a Inv<'a> {
    x
}

trait Tr<'a> {
    fn f(&'a self) -> &'a u8;
}
impl<'a, 'b> Tr<'a> for Inv<'b> {
    fn f(&'a self) -> &'b u8 {
        self.0.get()
    }
}

fn main() {}
