// SPDX-License-Identifier: MIT OR Apache-2.0
trait Tr {}
struct Wrap<T>(T);
impl<T> Tr for T where Wrap<T>: Tr {}

fn need<T: Tr>() {}

fn main() {
    need::<u8>();
}
