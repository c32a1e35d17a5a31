// SPDX-License-Identifier: MIT OR Apache-2.0
// An auto trait on a recursive type family is looked for until the limit is met, inside the check of a function that is
// itself checked for the hidden type of another.
#![recursion_limit = "64"]
struct Family<T>(*const T, Vec<Family<Option<T>>>);

fn hidden() -> impl Sized {
    let f: Family<u8> = Family(std::ptr::null(), Vec::new());
    needs_sync(&f);
    f
}

fn needs_sync<T: Sync>(_: &T) {}
fn needs_send<T: Send>(t: T) -> T {
    t
}

fn middle() -> impl Sized {
    needs_send(hidden())
}

fn top() -> impl Sized {
    needs_send((middle(), 1))
}

fn main() {
    let _ = top();
}
