// SPDX-License-Identifier: MIT OR Apache-2.0
// A type of 200 levels meets the recursion limit of the trait solver.
#![recursion_limit = "128"]
struct Nest<T>(T, u8);

macro_rules! deeper {
    ($t:ty;) => { $t };
    ($t:ty; $x:tt $($r:tt)*) => { deeper!(Nest<Nest<Nest<Nest<$t>>>>; $($r)*) };
}

type Deep = deeper!(u8; a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w);

fn size<T>() -> usize {
    std::mem::size_of::<T>()
}

trait Measure {
    fn depth() -> usize;
}
impl Measure for u8 {
    fn depth() -> usize {
        0
    }
}
impl<T: Measure> Measure for Nest<T> {
    fn depth() -> usize {
        T::depth() + size::<T>()
    }
}

fn main() {
    println!("{}", <Deep as Measure>::depth());
}
