// SPDX-License-Identifier: MIT OR Apache-2.0
// As deep-polymorphic-recursion, by closures: the types' names double in length as well.
fn compose<F: Fn(u8) -> u8>(n: u8, f: F) -> u8 {
    if n == 0 {
        f(0)
    } else {
        compose(n - 1, |x| f(x) + f(x))
    }
}

fn main() {
    println!("{}", compose(4, |x| x + 1));
}
