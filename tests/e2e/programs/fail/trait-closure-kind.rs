// SPDX-License-Identifier: MIT OR Apache-2.0
fn call<F: Fn()>(f: F) {
    f()
}

fn twice<F: FnMut() + Copy>(f: F) {}

fn main() {
    let s = String::new();
    call(move || drop(s));
    let mut n = 0;
    call(|| n += 1);
    let t = String::new();
    twice(move || println!("{}", t));
}
