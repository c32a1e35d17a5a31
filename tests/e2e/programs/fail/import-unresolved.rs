// SPDX-License-Identifier: MIT OR Apache-2.0
use std::collections::HashMapp;
use crate::nowhere::Thing;
use nonexistent_crate::Item;
use self::inner::{a, b};

mod inner {
    pub fn a() {}
}

fn main() {}
