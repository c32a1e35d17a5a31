// SPDX-License-Identifier: MIT OR Apache-2.0
// Dropping a type that contains ever larger ones.
struct Grow<T> {
    value: T,
    next: Option<Box<Grow<Option<T>>>>,
}

fn build<T>(value: T) -> Grow<T> {
    Grow { value, next: None }
}

fn main() {
    let g = build(String::new());
    drop(g);
}
