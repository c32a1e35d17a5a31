// SPDX-License-Identifier: MIT OR Apache-2.0
pub use base::{Base, Describe};

pub fn all(v: &[&dyn Describe]) -> String {
    v.iter().map(|d| d.describe()).collect()
}

#[macro_export]
macro_rules! shout {
    ($($t:tt)*) => { println!("{}!", format!($($t)*)) };
}
