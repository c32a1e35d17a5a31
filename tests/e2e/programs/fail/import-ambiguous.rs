// SPDX-License-Identifier: MIT OR Apache-2.0
mod a {
    pub fn thing() {}
}
mod b {
    pub fn thing() {}
}
use a::*;
use b::*;

fn main() {
    thing();
}
