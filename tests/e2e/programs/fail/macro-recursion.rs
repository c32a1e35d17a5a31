// SPDX-License-Identifier: MIT OR Apache-2.0
macro_rules! forever {
    ($($t:tt)*) => {
        forever!($($t)* x)
    };
}

fn main() {
    forever!();
}
