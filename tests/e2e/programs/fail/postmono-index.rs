// SPDX-License-Identifier: MIT OR Apache-2.0
struct Ring<const N: usize>;

impl<const N: usize> Ring<N> {
    const TABLE: [u32; 4] = [1, 2, 3, 4];
    const PICK: u32 = Self::TABLE[N];
}

trait Level {
    const DEPTH: u32;
}
struct Zero;
struct Succ<T>(T);
impl Level for Zero {
    const DEPTH: u32 = Ring::<9>::PICK;
}
impl<T: Level> Level for Succ<T> {
    const DEPTH: u32 = T::DEPTH + 1;
}

fn depth<T: Level>(_: &T) -> u32 {
    T::DEPTH
}

fn main() {
    println!("{}", depth(&Succ(Succ(Succ(Succ(Succ(Zero)))))));
}
