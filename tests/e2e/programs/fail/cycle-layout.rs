// SPDX-License-Identifier: MIT OR Apache-2.0
use std::mem::size_of;

trait Project {
    type Out;
}
impl<T> Project for T {
    type Out = Option<T>;
}

struct Rec<T>(Option<Box<u8>>, [u8; size_of::<T>()]);

struct Loop<T: Project>(<T as Project>::Out);
struct Knot(Loop<Knot>);

const SIZE: usize = size_of::<Knot>();

fn main() {
    println!("{}", SIZE);
}
