// SPDX-License-Identifier: MIT OR Apache-2.0
use std::collections::HashMap;

#[derive(PartialEq)]
struct Key;

fn needs_send<T: Send + Sync>(_: T) {}

fn main() {
    let mut m = HashMap::new();
    m.insert(Key, 1);
    println!("{}", Key);
    println!("{:?}", Key);
    needs_send(std::rc::Rc::new(1));
    let v: Vec<u8> = vec!["a", "b"].into_iter().collect();
    for x in 5 {}
}
