// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let f = |g| g(g);
    f(f);
    let mut x = None;
    x = Some(x);
}
