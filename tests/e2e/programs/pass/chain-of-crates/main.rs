// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --edition 2021 --crate-type lib -C debuginfo=1 base.rs
// run: rustc --edition 2021 --crate-type lib --extern base=libbase.rlib middle.rs
// run: rustc --edition 2021 --emit metadata --extern middle=libmiddle.rlib -L . main.rs
// run: rustc --edition 2021 --extern middle=libmiddle.rlib -L . main.rs
// run: ./main
// run: rustc --edition 2021 -O --crate-type dylib -C prefer-dynamic -o libdynamic.so --crate-name dynamic base.rs
use middle::{Base, Describe};

struct Mine(Vec<Base<u8>>);
impl Describe for Mine {
    fn describe(&self) -> String {
        self.0.iter().map(|b| b.describe()).collect::<Vec<_>>().join("+")
    }
}

fn main() {
    let m = Mine(vec![Base::new(1), Base::new(2).twice()]);
    println!("{} {}", m.describe(), middle::all(&[&m, &Base::new("x")]));
    middle::shout!("{}", 3);
}
