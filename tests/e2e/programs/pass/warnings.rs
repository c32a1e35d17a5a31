// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type lib -W unused -W missing_docs -W rust-2018-idioms
extern crate alloc;
use std::collections::HashMap;
use std::fmt::*;

fn dead() {}
pub fn f(x: u8, mut y: u8) -> u8 {
    let unused = 1;
    let Camel = 2;
    if (x == 1) {
        return 2;
        println!("never");
    }
    Ok::<u8, u8>(1);
    unsafe {}
    match x {
        _ => 1,
        2 => 3,
    }
}
pub struct lower {
    field: u8,
}
impl lower {
    fn never_called(&self) -> std::cell::Ref<u8> {
        loop {}
    }
}
#[deprecated(note = "use f")]
pub fn old() {}
pub fn user() {
    old()
}
pub fn endless() {
    endless()
}
