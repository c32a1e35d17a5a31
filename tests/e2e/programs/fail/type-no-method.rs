// SPDX-License-Identifier: MIT OR Apache-2.0
struct S;

fn main() {
    S.missing();
    S.field;
    1u8.push(3);
    let v = vec![S];
    v.sort();
    let w: Option<S> = None;
    w.clone().unwrap_or_default();
}
