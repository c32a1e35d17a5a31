// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2018
fn async() {}
fn dyn(try: u8) -> u8 {
    try
}

trait T {
    fn f(u8);
}

fn main() {
    let await = 1;
}
