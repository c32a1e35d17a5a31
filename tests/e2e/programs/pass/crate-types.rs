// SPDX-License-Identifier: MIT OR Apache-2.0
// run: for t in lib rlib dylib cdylib staticlib; do rustc --crate-type $t -C prefer-dynamic --crate-name made_$t crate-types.rs || exit; done
// run: rustc --crate-type lib --crate-type cdylib -C metadata=abc -C extra-filename=-abc crate-types.rs
#[no_mangle]
pub extern "C" fn exported(x: i32) -> i32 {
    let v: Vec<i32> = (0..x).collect();
    v.len() as i32
}

pub fn generic<T: Into<u64>>(t: T) -> u64 {
    t.into() + 1
}
