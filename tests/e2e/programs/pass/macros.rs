// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc macros.rs
// run: ./macros
#![recursion_limit = "512"]

macro_rules! count {
    () => { 0usize };
    ($h:tt $($t:tt)*) => { 1usize + count!($($t)*) };
}

macro_rules! calculator {
    ($($name:ident($($a:ident),*) = $e:expr;)*) => { $(
        #[allow(non_camel_case_types)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name { $($a: i64),* }
        impl $name {
            pub fn run(self) -> i64 { let $name { $($a),* } = self; $e }
        }
    )* };
}

calculator! {
    add(a, b) = a + b;
    mul(a, b) = a * b;
    poly(a, b, c, x) = a * x * x + b * x + c;
    zero() = 0;
}

macro_rules! reverse {
    ([] $($r:tt)*) => { [$($r),*] };
    ([$h:tt $($t:tt)*] $($r:tt)*) => { reverse!([$($t)*] $h $($r)*) };
}

fn main() {
    println!("{}", count!(a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v));
    println!("{:?} {}", add { a: 1, b: 2 }, poly { a: 1, b: 2, c: 3, x: 4 }.run());
    println!("{:?} {}", reverse!([1 2 3 4 5 6 7 8 9]), mul::default().run() + zero {}.run());
    println!("{} {} {:?}", line!(), module_path!(), option_env!("NO_SUCH_VARIABLE_ANYWHERE"));
}
