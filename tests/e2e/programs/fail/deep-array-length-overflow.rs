// SPDX-License-Identifier: MIT OR Apache-2.0
// A type's array length needs a constant, which needs a constant, and so on for 40 levels; at the bottom the trait
// solver overflows and the compiler unwinds from within all of those queries. A lot is type-checked before.
#![recursion_limit = "1024"]
struct Top([u8; N40]);

macro_rules! chain {
    ($($name:ident = $next:ident;)*) => { $(
        const $name: usize = {
            struct Here([u8; $next]);
            std::mem::size_of::<Here>() + 1
        };
    )* };
}

chain! {
    N40 = N39; N39 = N38; N38 = N37; N37 = N36; N36 = N35; N35 = N34; N34 = N33; N33 = N32;
    N32 = N31; N31 = N30; N30 = N29; N29 = N28; N28 = N27; N27 = N26; N26 = N25; N25 = N24;
    N24 = N23; N23 = N22; N22 = N21; N21 = N20; N20 = N19; N19 = N18; N18 = N17; N17 = N16;
    N16 = N15; N15 = N14; N14 = N13; N13 = N12; N12 = N11; N11 = N10; N10 = N9; N9 = N8;
    N8 = N7; N7 = N6; N6 = N5; N5 = N4; N4 = N3; N3 = N2; N2 = N1; N1 = N0;
}

trait Endless {
    const SIZE: usize;
}
impl<T> Endless for T
where
    Vec<T>: Endless,
{
    const SIZE: usize = <Vec<T> as Endless>::SIZE;
}

const N0: usize = <u8 as Endless>::SIZE;

fn main() {
    println!("{}", std::mem::size_of::<Top>());
}
