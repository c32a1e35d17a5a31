// SPDX-License-Identifier: MIT OR Apache-2.0
// Each function's hidden type is known only once the next one's body is checked; the last one overflows.
macro_rules! chain {
    ($($name:ident -> $next:ident;)*) => { $(
        fn $name(n: u32) -> impl Iterator<Item = u32> + Clone {
            let inner = $next(n);
            is_send(&inner);
            inner.map(move |x| x + n).filter(|x| x % 3 != 0)
        }
    )* };
}

fn is_send<T: Send>(_: &T) {}

chain! {
    f20 -> f19; f19 -> f18; f18 -> f17; f17 -> f16; f16 -> f15; f15 -> f14; f14 -> f13; f13 -> f12;
    f12 -> f11; f11 -> f10; f10 -> f9; f9 -> f8; f8 -> f7; f7 -> f6; f6 -> f5; f5 -> f4;
    f4 -> f3; f3 -> f2; f2 -> f1; f1 -> f0;
}

trait Endless {}
impl<T> Endless for T where Option<T>: Endless {}
fn endless<T: Endless>() {}

fn f0(n: u32) -> impl Iterator<Item = u32> + Clone {
    endless::<u8>();
    0..n
}

fn main() {
    println!("{}", f20(7).count());
}
