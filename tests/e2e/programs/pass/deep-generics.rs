// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc deep-generics.rs
// run: ./deep-generics
// Adapters upon adapters: long names, deep instances, and drop glue for all of it.
#![recursion_limit = "1024"]
macro_rules! wrap {
    ($e:expr;) => { $e };
    ($e:expr; $h:tt $($t:tt)*) => { wrap!(Layer($e, String::new()); $($t)*) };
}

struct Layer<T>(T, String);

trait Depth {
    fn depth(&self) -> usize;
}
impl Depth for u8 {
    fn depth(&self) -> usize {
        *self as usize
    }
}
impl<T: Depth> Depth for Layer<T> {
    fn depth(&self) -> usize {
        self.0.depth() + 1 + self.1.len()
    }
}

fn main() {
    let l = wrap!(1u8; a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z
        a b c d e f g h i j k l m n o p q r s t u v w x y z);
    println!("{}", l.depth());
}
