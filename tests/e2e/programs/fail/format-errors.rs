// SPDX-License-Identifier: MIT OR Apache-2.0
use std::fmt;

struct S;
impl fmt::LowerHex for S {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", 1)
    }
}

fn main() {
    println!("{:x} {:X}", S, S);
    println!("{0} {2}", 1, 2);
    println!("{name}");
    println!("{:?}", main);
    println!("{:>width$}", 1);
    print!(concat!("a", "{}"), );
}
