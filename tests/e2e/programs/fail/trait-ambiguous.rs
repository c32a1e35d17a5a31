// SPDX-License-Identifier: MIT OR Apache-2.0
trait A {
    fn go(&self) {}
}
trait B {
    fn go(&self) {}
}
impl A for u8 {}
impl B for u8 {}

fn main() {
    1u8.go();
    let _ = <u8 as A>::missing;
    A::go();
}
