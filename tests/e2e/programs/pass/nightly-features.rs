// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// run: rustc --edition 2021 -Zmir-opt-level=3 -Zvalidate-mir -Zverify-llvm-ir nightly-features.rs
// run: ./nightly-features
// run: rustc --edition 2021 -Znext-solver=globally -Zpolonius=next --emit metadata nightly-features.rs
#![feature(never_type, try_blocks, min_specialization, rustc_attrs)]
#![allow(internal_features, stable_features)]

trait Kind {
    fn kind(&self) -> &'static str;
}
impl<T> Kind for T {
    default fn kind(&self) -> &'static str {
        "any"
    }
}
impl Kind for u8 {
    fn kind(&self) -> &'static str {
        "byte"
    }
}

fn parse(s: &str) -> Option<u8> {
    try { s.parse::<u8>().ok()? + 1 }
}

fn never(r: Result<u8, !>) -> u8 {
    let Ok(x) = r;
    x
}

fn main() {
    println!("{} {} {:?} {}", 1u8.kind(), "x".kind(), parse("4"), never(Ok(3)));
}
