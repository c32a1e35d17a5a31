// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// flags: -Znext-solver=globally
trait Tr {
    type Out;
}
struct W<T>(T);
impl<T> Tr for W<T>
where
    W<W<T>>: Tr,
{
    type Out = <W<W<T>> as Tr>::Out;
}

fn f<T: Tr>(_: T) -> Option<T::Out> {
    None
}

fn g() -> impl Sized {
    f(W(1))
}

fn main() {
    let _ = g();
}
