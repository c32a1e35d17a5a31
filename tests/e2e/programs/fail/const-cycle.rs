// SPDX-License-Identifier: MIT OR Apache-2.0
const A: u8 = B + 1;
const B: u8 = C + 1;
const C: u8 = A + 1;
static S: u8 = T;
static T: u8 = S;

enum E {
    X = E::Y as isize,
    Y = E::X as isize + 1,
}

struct Arr([u8; std::mem::size_of::<Arr>()]);

fn main() {
    println!("{}", A);
}
