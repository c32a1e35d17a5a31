// SPDX-License-Identifier: MIT OR Apache-2.0
macro_rules! make {
    ($name:ident, $t:ty) => {
        fn $name() -> $t {
            let x: $t = "from a macro";
            x
        }
    };
}

macro_rules! nest {
    ($($n:ident),*) => { $( make!($n, u32); )* };
}

nest!(a, b, c, d);

fn main() {}
