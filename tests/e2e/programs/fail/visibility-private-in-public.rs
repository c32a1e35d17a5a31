// SPDX-License-Identifier: MIT OR Apache-2.0
mod m {
    struct Private;
    pub trait Tr {
        type Out;
    }
    impl Tr for u8 {
        type Out = Private;
    }
    pub fn leak() -> <u8 as Tr>::Out {
        Private
    }
}

fn main() {
    let _x = m::leak();
}
