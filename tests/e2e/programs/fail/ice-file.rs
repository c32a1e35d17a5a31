// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// With the file that the compiler leaves for a report.
// run: unset RUSTC_ICE; rustc -Ztreat-err-as-bug=1 ice-file.rs
// status: 101
fn a() -> impl Sized {
    let x: u8 = "";
}

fn b() -> impl Sized {
    a()
}

fn main() {
    fn send<T: Send>(_: T) {}
    send(b());
}
