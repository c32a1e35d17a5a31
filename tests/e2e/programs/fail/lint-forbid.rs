// SPDX-License-Identifier: MIT OR Apache-2.0
#![forbid(unsafe_code)]
#![deny(missing_docs, non_snake_case)]

pub fn BadName() {
    unsafe {}
}

#[allow(unsafe_code)]
pub mod m {
    pub struct undocumented;
}

fn main() {}
