// SPDX-License-Identifier: MIT OR Apache-2.0
trait T1 {
    fn new() -> Self;
    fn generic<X>(&self, x: X);
    const C: u8;
}

fn f(_: &dyn T1) {}

fn main() {
    let x: Box<dyn T1> = todo!();
    let y: Box<dyn Clone + Copy> = Box::new(1);
}
