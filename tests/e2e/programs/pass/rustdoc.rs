// SPDX-License-Identifier: MIT OR Apache-2.0
// needs: rustdoc
// run: rustdoc --crate-type lib --document-private-items rustdoc.rs
// run: rustdoc --version
// solo: another binary than rustc loads the compiler's library
//! Documentation with [links](Thing), `code` and a table.
//!
//! | a | b |
//! |---|---|
//! | 1 | 2 |

/// A thing. See [`Thing::make`] and [`std::vec::Vec`].
#[derive(Debug, Clone, Default)]
pub struct Thing<T: Clone = u8> {
    /// The value.
    pub value: T,
    hidden: Vec<T>,
}

impl<T: Clone> Thing<T> {
    /// Makes a thing.
    ///
    /// ```
    /// let x = 1;
    /// ```
    pub fn make(value: T) -> Self {
        Thing { value, hidden: Vec::new() }
    }
}

/// A trait with an implementation for everything.
pub trait Everything {
    /// Its constant.
    const C: usize = 1 << 3;
    /// Its type.
    type Out: Iterator<Item = u8>;
}
impl<T> Everything for T {
    type Out = std::iter::Empty<u8>;
}

#[doc(hidden)]
pub mod secret {}
