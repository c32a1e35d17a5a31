// SPDX-License-Identifier: MIT OR Apache-2.0
#[cfg(not(feature = "impossible"))]
compile_error!("this crate needs the feature \"impossible\"");

macro_rules! check {
    ($x:literal) => {
        compile_error!(concat!("bad literal ", $x))
    };
}

check!("one");

fn main() {
    check!(2);
    env!("NO_SUCH_VARIABLE_ANYWHERE");
}
