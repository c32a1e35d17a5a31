// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
#![feature(generic_const_exprs, specialization, never_type, coroutines, type_alias_impl_trait)]
#![allow(incomplete_features)]

trait Size<const N: usize> {}
impl<const N: usize> Size<{ N + 1 }> for [u8; N] where [(); N - 1]: {}

fn need<const N: usize, T: Size<N>>(_: T) {}

type Hidden = impl std::fmt::Debug;

fn one() -> Hidden {
    1u8
}

trait Sp {
    fn f(&self) -> u8;
}
impl<T> Sp for T {
    default fn f(&self) -> u8 {
        0
    }
}
impl<T: Copy> Sp for T {
    fn f(&self) -> u16 {
        1
    }
}

fn main() {
    need::<7, _>([0u8; 3]);
}
