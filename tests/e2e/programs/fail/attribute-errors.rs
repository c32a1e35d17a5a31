// SPDX-License-Identifier: MIT OR Apache-2.0
#[inline(sometimes)]
#[no_such_attribute]
#[repr(Rust, C, u8)]
#[derive()]
#[cfg(nonsense = )]
struct S;

#[repr(transparent)]
struct T(u8, u16);

#[must_use = 1]
#[test(a)]
#[target_feature(enable = "nosuch")]
fn f() {}

#[non_exhaustive(x)]
#[track_caller]
extern "C" fn g() {}

fn main() {}
