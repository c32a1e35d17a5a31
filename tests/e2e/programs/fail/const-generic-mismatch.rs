// SPDX-License-Identifier: MIT OR Apache-2.0
struct Buf<const N: usize>([u8; N]);

fn same<const N: usize>(a: [u8; N], b: [u8; N]) {}

fn double<const N: usize>() -> [u8; N * 2] {
    [0; N * 2]
}

fn main() {
    same([1, 2], [1, 2, 3]);
    let b: Buf<3> = Buf([1, 2]);
    let c: Buf<"x"> = todo!();
    let d: Buf<{ 1 + true }> = todo!();
    let e: Buf<-1> = todo!();
}
