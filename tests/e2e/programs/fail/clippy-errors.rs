// SPDX-License-Identifier: MIT OR Apache-2.0
// needs: clippy-driver
// run: clippy-driver clippy-errors.rs
// run: clippy-driver -D clippy::all -D clippy::pedantic --crate-type lib clippy-errors.rs
// status: 1 1
pub fn f(v: &Vec<u8>) -> bool {
    let x = 3.14;
    if v.len() == 0 {
        return true;
    }
    for i in 0..v.len() {
        println!("{}", v[i]);
    }
    let y = x == std::f64::NAN;
    v.iter().next().is_some() && x != x && y
}

fn main() {
    let a = [1, 2, 3];
    let _ = a.iter().step_by(0);
    let _ = 1 & 0;
}
