// SPDX-License-Identifier: MIT OR Apache-2.0
use std::fmt::Display;

#[derive(Debug, Clone)]
pub struct Base<T>(pub T);

impl<T: Clone> Base<T> {
    pub fn new(t: T) -> Self {
        Base(t)
    }
    #[inline]
    pub fn twice(self) -> Base<T> {
        let Base(a) = self.clone();
        Base(a)
    }
}

pub trait Describe {
    fn describe(&self) -> String;
}

impl<T: Display> Describe for Base<T> {
    fn describe(&self) -> String {
        format!("<{}>", self.0)
    }
}
