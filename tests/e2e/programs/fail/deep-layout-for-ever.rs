// SPDX-License-Identifier: MIT OR Apache-2.0
// Each layer's layout needs that of a larger type: the depth limit of queries is met while code is generated.
trait Step {
    type Next;
}
struct Wrap<T>(T);
impl<T> Step for Wrap<T> {
    type Next = Endless<Wrap<Wrap<T>>>;
}
struct Endless<T: Step>(<T as Step>::Next, u8);

fn size<T>() -> usize {
    std::mem::size_of::<T>()
}

fn through<T: Step>(_: T) -> usize {
    size::<Option<Endless<T>>>()
}

fn main() {
    println!("{}", through(Wrap(1u8)));
}
