// SPDX-License-Identifier: MIT OR Apache-2.0
// run: echo some text >data.txt
// run: rustc --edition 2021 main.rs
// run: ./main
mod shapes;
#[path = "odd-name.rs"]
mod odd;

const TEXT: &str = include_str!("data.txt");

fn main() {
    println!("{} {} {}", shapes::round::area(2.0) as u32, odd::f(), TEXT.trim());
    println!("{}", include!("expression.in"));
}
