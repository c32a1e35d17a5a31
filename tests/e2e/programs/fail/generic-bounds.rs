// SPDX-License-Identifier: MIT OR Apache-2.0
fn largest<T>(v: &[T]) -> T {
    let mut m = v[0];
    for x in v {
        if *x > m {
            m = *x;
        }
    }
    m
}

struct S<T: Copy>(T);

fn f(_: S<String>) {}

impl<T> S<T> {
    fn get(&self) -> T {
        self.0
    }
}

fn main() {
    largest::<u8, u8>(&[1]);
}
