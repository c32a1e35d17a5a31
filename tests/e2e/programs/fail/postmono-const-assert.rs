// SPDX-License-Identifier: MIT OR Apache-2.0
// Errors which only instantiation finds; --emit metadata does not see them.
// run: rustc --emit metadata postmono-const-assert.rs
// run: rustc postmono-const-assert.rs
// run: rustc -O --emit obj postmono-const-assert.rs
// status: 0 1 1
struct Check<T>(T);

impl<T> Check<T> {
    const SMALL: () = assert!(std::mem::size_of::<T>() <= 8, "the type is too large");

    fn new(t: T) -> Self {
        let () = Self::SMALL;
        Check(t)
    }
}

fn through<A, B: Fn(A) -> Check<A>>(a: A, b: B) -> Check<A> {
    b(a)
}

fn main() {
    through(1u64, Check::new);
    through([1u64; 2], Check::new);
    through(String::new(), |s| Check::new(s));
    vec![[1u8; 9]].into_iter().map(Check::new).for_each(drop);
}
