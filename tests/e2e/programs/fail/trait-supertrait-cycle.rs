// SPDX-License-Identifier: MIT OR Apache-2.0
trait A: B {}
trait B: C {}
trait C: A {
    fn f(&self);
}

fn use_it<T: A>(t: T) {
    t.f();
}

fn main() {}
