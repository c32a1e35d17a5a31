// SPDX-License-Identifier: MIT OR Apache-2.0
pub struct Holder<T>(T);

impl<T> Holder<T> {
    const FITS: usize = 8 - std::mem::size_of::<T>();

    #[inline]
    pub fn make(t: T) -> Self {
        let _ = Self::FITS;
        Holder(t)
    }
}

pub fn layered<T: Default>() -> usize {
    fn second<T: Default>() -> usize {
        fn third<T: Default>() -> usize {
            Holder::make(T::default());
            Holder::<T>::FITS
        }
        third::<T>() + third::<(T, T)>()
    }
    second::<T>()
}
