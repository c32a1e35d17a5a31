// SPDX-License-Identifier: MIT OR Apache-2.0
trait Tr<X> {
    type Assoc;
}

trait Sub: Tr<<Self as Tr<u8>>::Assoc> {}

struct S<T: Tr<T::Assoc>>(T);

trait P: Q<Self::Item> {
    type Item;
}
trait Q<T> {}

fn main() {}
