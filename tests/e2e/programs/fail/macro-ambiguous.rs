// SPDX-License-Identifier: MIT OR Apache-2.0
macro_rules! bad {
    ($a:expr $b:expr) => {};
    ($($x:ident)* $y:ident) => {};
    ($t:unknown) => {};
    ($($a:tt)*) => { $($b)* };
}

macro_rules! rep {
    ($($x:ident)*; $($y:ident)*) => { $( let $x = stringify!($y); )* };
}

fn main() {
    rep!(a b c; d e);
    bad!(a b c);
}
