// SPDX-License-Identifier: MIT OR Apache-2.0
struct S {
    name: String,
}
impl Drop for S {
    fn drop(&mut self) {}
}

fn f(s: &S) -> String {
    s.name
}

fn main() {
    let s = S { name: String::new() };
    let n = s.name;
    let v = vec![String::new()];
    let first = v[0];
    let b: &Box<String> = &Box::new(String::new());
    let inner = **b;
}
