// SPDX-License-Identifier: MIT OR Apache-2.0
fn extend<'a, 'b>(x: &'a str, y: &'b str) -> &'b str {
    x
}

fn store<'a>(v: &mut Vec<&'a str>, s: &str) {
    v.push(s);
}

fn boxed<T: std::fmt::Debug>(t: T) -> Box<dyn std::fmt::Debug> {
    Box::new(t)
}

fn main() {}
