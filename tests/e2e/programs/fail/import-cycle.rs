// SPDX-License-Identifier: MIT OR Apache-2.0
mod a {
    pub use crate::b::x;
}
mod b {
    pub use crate::a::x;
}
use a::x;

fn main() {
    x();
}
