// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C codegen-units=16 -O -C debuginfo=1 units-16.rs
// run: rustc -C codegen-units=1 -o one units-16.rs
// run: ./units-16
// run: ./one
macro_rules! modules {
    ($($m:ident)*) => {
        $(
            mod $m {
                #[inline(never)]
                pub fn work(n: u32) -> String {
                    let mut v: Vec<u32> = (0..n).map(|x| x.wrapping_mul(2654435761)).collect();
                    v.sort();
                    v.iter().map(|x| format!("{:x}", x % 97)).collect::<Vec<_>>().join(stringify!($m))
                }
            }
        )*
        fn main() {
            $( println!("{}", $m::work(4)); )*
        }
    };
}

modules!(a b c d e f g h i j k l m n o p q r s t);
