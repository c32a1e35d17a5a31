// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// A panic while code is generated, with worker threads at their work.
// flags: -Ztreat-err-as-bug=1 -C codegen-units=8
// status: 101
mod a {
    pub fn f() -> String {
        format!("{}", 1)
    }
}
mod b {
    pub fn f<T>() -> u8 {
        const { assert!(size_of::<T>() == 1) };
        1
    }
}

fn main() {
    println!("{} {}", a::f(), b::f::<u16>());
}
