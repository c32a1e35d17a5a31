// SPDX-License-Identifier: MIT OR Apache-2.0
trait Step {
    type Next;
}
impl<T> Step for T
where
    Vec<T>: Step,
{
    type Next = <Vec<T> as Step>::Next;
}

fn f<T>(_: <T as Step>::Next) {}

fn main() {
    f::<u8>(1);
}
