// SPDX-License-Identifier: MIT OR Apache-2.0
mod m {
    pub struct S {
        field: u8,
    }
    struct Hidden;
    fn f() {}
    impl S {
        fn method(&self) {}
        pub fn new() -> S {
            S { field: 0 }
        }
    }
}

fn main() {
    let s = m::S::new();
    s.method();
    println!("{}", s.field);
    m::f();
    let _ = m::Hidden;
    let _ = m::S { field: 1 };
}
