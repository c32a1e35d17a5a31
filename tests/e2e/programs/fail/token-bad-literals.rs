// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let a = 0b1021;
    let b = 1e+;
    let c = '';
    let d = 'ab';
    let e = "\q \u{110000}";
    let f = 123abc;
    let g = b"é";
}
