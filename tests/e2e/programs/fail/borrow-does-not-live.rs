// SPDX-License-Identifier: MIT OR Apache-2.0
fn dangling<'a>() -> &'a String {
    let s = String::new();
    &s
}

fn main() {
    let r;
    {
        let x = 5;
        r = &x;
    }
    println!("{}", r);
    let t = std::thread::spawn(|| println!("{}", r));
}
