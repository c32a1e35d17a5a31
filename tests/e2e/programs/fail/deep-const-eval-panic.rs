// SPDX-License-Identifier: MIT OR Apache-2.0
// A panic in constant evaluation, 60 constants and as many calls down, reached from a generic function's instance.
macro_rules! chain {
    ($($name:ident <- $next:ident;)*) => { $(
        struct $name<T>(T);
        impl<T> $name<T> {
            const V: usize = match $next::<T>::V {
                0 => 1,
                n => n + std::mem::size_of::<T>(),
            };
        }
    )* };
}

chain! {
    A30 <- A29; A29 <- A28; A28 <- A27; A27 <- A26; A26 <- A25; A25 <- A24; A24 <- A23; A23 <- A22;
    A22 <- A21; A21 <- A20; A20 <- A19; A19 <- A18; A18 <- A17; A17 <- A16; A16 <- A15; A15 <- A14;
    A14 <- A13; A13 <- A12; A12 <- A11; A11 <- A10; A10 <- A9; A9 <- A8; A8 <- A7; A7 <- A6;
    A6 <- A5; A5 <- A4; A4 <- A3; A3 <- A2; A2 <- A1; A1 <- A0;
}

const fn down(n: usize) -> usize {
    if n == 0 { panic!("the bottom is reached") } else { down(n - 1) + 1 }
}

struct A0<T>(T);
impl<T> A0<T> {
    const V: usize = down(60);
}

fn show<T>() -> usize {
    A30::<T>::V
}

fn main() {
    println!("{}", show::<[u8; 3]>());
    println!("{}", show::<String>());
}
