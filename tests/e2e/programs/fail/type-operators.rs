// SPDX-License-Identifier: MIT OR Apache-2.0
struct P;

fn main() {
    let a = P + P;
    let b = -"x";
    let c = !1.5;
    let d = 1u8 + 1u16;
    let e = P == P;
    let mut f = 1;
    f += "a";
    5 = 6;
}
