// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// Each layer doubles the type; the limit is met while an instance is resolved.
// flags: -Zenforce-type-length-limit
#![type_length_limit = "100000"]
type Twice<T> = (T, T);
type P4<T> = Twice<Twice<Twice<Twice<T>>>>;
type P16<T> = P4<P4<P4<P4<T>>>>;

fn show<T: Default + std::any::Any>() -> &'static str {
    std::any::type_name::<T>()
}

struct W<T>(std::marker::PhantomData<T>);
impl<T> Default for W<T> {
    fn default() -> Self {
        W(std::marker::PhantomData)
    }
}

fn main() {
    println!("{}", show::<W<P16<P4<u8>>>>().len());
}
