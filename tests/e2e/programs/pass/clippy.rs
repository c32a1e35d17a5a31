// SPDX-License-Identifier: MIT OR Apache-2.0
// needs: clippy-driver
// run: clippy-driver --crate-type lib clippy.rs
// run: clippy-driver --rustc --crate-type lib --emit metadata clippy.rs
// run: clippy-driver -W clippy::pedantic -W clippy::nursery -A clippy::all --crate-type lib --emit metadata clippy.rs
// run: clippy-driver --version
// solo: another binary than rustc loads the compiler's library
pub fn f(v: &Vec<u8>) -> bool {
    if v.len() == 0 {
        return true;
    }
    let mut n = 0;
    for i in 0..v.len() {
        n = n + v[i] as usize;
    }
    let s = String::from("x").clone();
    n == s.len() && v.iter().find(|x| **x == 1).is_some()
}
