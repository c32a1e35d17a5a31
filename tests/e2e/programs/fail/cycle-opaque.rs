// SPDX-License-Identifier: MIT OR Apache-2.0
fn a() -> impl Sized {
    (b(), 1)
}

fn b() -> impl Sized {
    (a(), 2)
}

fn send<T: Send>(_: T) {}

fn c() -> impl Clone {
    send(d());
    1
}

fn d() -> impl Clone {
    send(c());
    2
}

fn main() {}
