// SPDX-License-Identifier: MIT OR Apache-2.0
static S: u8 = 1;

fn main() {
    let x = 1;
    x = 2;
    let v = Vec::new();
    v.push(1);
    S = 2;
    let r = &x;
    *r = 3;
    let c = || x += 1;
    c();
}
