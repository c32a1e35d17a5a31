// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// The compiler panics in the middle of its queries; the default panic output prints every frame.
// flags: -Ztreat-err-as-bug=1
// status: 101
struct S([u8; N]);
const N: usize = {
    struct T([u8; M]);
    std::mem::size_of::<T>()
};
const M: usize = {
    let x: usize = "not a number";
    x
};

fn main() {}
