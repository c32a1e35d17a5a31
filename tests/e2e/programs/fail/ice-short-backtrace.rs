// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// run: RUST_BACKTRACE=1 rustc -Ztreat-err-as-bug=1 ice-short-backtrace.rs
// run: RUST_BACKTRACE=full rustc -Ztreat-err-as-bug=1 ice-short-backtrace.rs
// run: RUST_BACKTRACE=0 rustc -Ztreat-err-as-bug=1 ice-short-backtrace.rs
// status: 101 101 101
const A: u8 = B;
const B: u8 = C[3];
const C: [u8; 2] = [1, 2];

fn main() {
    println!("{}", A);
}
